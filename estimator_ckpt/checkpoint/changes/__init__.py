"""By how much values differ: of one variable, of a layer, as a histogram, as examples.

`value_changes` measures pairs of arrays and sums up layers, `histograms` counts values
in bins, `changed_elements` keeps the first elements that differ where there is nothing
to count; `change_details` does all three for two checkpoints that are open.
"""
