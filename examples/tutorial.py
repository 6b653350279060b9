"""Runs docs/tutorial.ipynb from top to bottom and writes its outputs into it.

python -m examples.tutorial
"""

import os
import pathlib
import sys
import tempfile
import time

NOTEBOOK = pathlib.Path(__file__).resolve().parent.parent / "docs" / "tutorial.ipynb"


def executed(notebook=NOTEBOOK, timeout=180):
    """The notebook with its outputs, run in a kernel of this Python.

    Args:
      notebook: its path.
      timeout: seconds that one cell may take.

    Raises:
      CellExecutionError: a cell failed.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=120,
        record_timing=False,
        coalesce_streams=True,
    )
    with tempfile.TemporaryDirectory() as directory:
        # As in an activated environment: the commands of this Python come first.
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
        client.execute(
            env={
                **os.environ,
                "PATH": path,
                "TMPDIR": directory,
                "IPYTHONDIR": directory,
            }
        )
    for cell in notebook.cells:
        cell.metadata = {}
        # What a TensorFlow of 2.16 or later logs as it starts is of this machine.
        if "import tensorflow" in cell.source:
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def printed(notebook):
    """What each cell prints: {cell number: text}."""
    return {
        number: "".join(
            output.text
            for output in cell.get("outputs", [])
            if output.output_type == "stream"
        )
        for number, cell in enumerate(notebook.cells)
    }


def main():
    import nbformat

    began = time.monotonic()
    notebook = executed()
    nbformat.write(notebook, NOTEBOOK)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    print(f"{NOTEBOOK}: {cells} cells in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
