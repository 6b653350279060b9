"""Plans for whatever a target can be: a checkpoint, a model_fn, a live object.

    any_target   `plan` and `suggest`
    plan_sides   what a source and a target have

Who gets what is decided in `maps`, by the same rules for each target; this room only
says what there is on both sides. TensorFlow is imported for the latter two alone.
"""
