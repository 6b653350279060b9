"""How a job saves: savers of the three formats, their keys, ops and hooks.

Also how what was saved takes its place, so that nobody reads half of it. What a
checkpoint is restored from is chosen in `restoring`; which saver a Scaffold gets, in
`scaffolds`.
"""
