"""Reports: what a plan, a diff, a checkpoint or a verification says, as one page.

`write_report` takes a result object, digests it into facts (`digest`), adds what was
run (`provenance`) and renders both as HTML or Markdown. Digests and pages are pure
functions; one module reads versions and fingerprints, and one writes the file. No
TensorFlow, and no decision about a checkpoint: what a page says, the result object said
before.
"""
