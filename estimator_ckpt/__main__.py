"""`python -m estimator_ckpt`: the same as the `estimator-ckpt` command."""

from estimator_ckpt.cli.main import main

if __name__ == "__main__":
    main()
