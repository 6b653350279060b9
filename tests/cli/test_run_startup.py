"""What happens in a process of `run` before the user's code."""

from tests.cli.commands.test_run_command import RUN, call, write


def test_a_job_that_cannot_run_ends_in_one_line_with_its_place(tmp_path):
    write(
        tmp_path,
        "job.py",
        """
        from estimator_ckpt.tf_private.estimator_runtime import refusals

        def main():
            refusals.refuse("tf.estimator on TPU hardware", "use a CPU")

        main()
        """,
    )
    done = call([*RUN, "job.py"], tmp_path)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("estimator-ckpt: error: tf.estimator on TPU hardware")
    assert line.endswith(f"({tmp_path}/job.py:5)")
