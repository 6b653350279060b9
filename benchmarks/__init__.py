"""The toolkit against what people would use instead."""
