"""Live objects described as data: models, optimizers, what they would save.

The one place that looks at an object; whoever has its `ObjectDescription` needs the
object no more. Nothing here knows a source.
"""
