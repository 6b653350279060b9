"""Who gets what, under which name: assignment maps, filters, plans.

A plan is decided here, from data alone. Nothing here reads or writes a tensor, and
nothing imports TensorFlow. What a map could be is proposed in `maps.suggest`.
"""
