"""Results read back by three real TensorFlows; `make compat` sets them up."""
