"""One model as layers: read from the names and shapes of its variables, in order.

Everything in here looks at one model alone. What two models have in common is for
`maps/suggest/pairing`.
"""
