"""Packaging of estimator_ckpt. TensorFlow is an extra: users have it already."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (HERE / "estimator_ckpt" / "__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
)[1]

setup(
    name="estimator-ckpt",
    version=VERSION,
    description="Migrate tf.estimator jobs and their checkpoints to TensorFlow 2",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["estimator_ckpt", "estimator_ckpt.*"]),
    package_data={
        "estimator_ckpt": [
            "py.typed",
            "cli/startup/sitecustomize.py",
            "reports/page.css",
            "reports/page.js",
        ]
    },
    python_requires=">=3.9",
    install_requires=[
        "absl-py>=1.0",
        "cramjam>=2.6",
        "crc32c>=2.4",
        "ml_dtypes>=0.2",
        "numpy>=1.22",
        "PyYAML>=5.4",
        "rich>=12.0",
        "shtab>=1.6",
    ],
    extras_require={
        # What pip finds installed stays: no bound on TensorFlow, and the one tf-keras
        # that asks for no TensorFlow of its own version (see BUILD.md).
        "estimator": [
            "tensorflow>=2.12",
            "tensorflow-estimator>=2.12,<2.16",
            "tf-keras==2.15.0",
        ],
        "examples": ["matplotlib>=3.7", "pillow>=9.0", "scikit-learn>=1.0"],
        # For an environment of its own: `make docs`, constraints-docs.txt.
        "docs": [
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.5",
            "mkdocstrings[python]>=0.24",
            "ruff>=0.4",
            "safetensors>=0.4",
        ],
        "dev": [
            "build",
            "hypothesis>=6.60",
            "ipykernel>=6.0",
            "mypy>=1.8",
            "nbclient>=0.7",
            "pytest>=7.0",
            "pytest-xdist>=3.0",
            "ruff>=0.4",
            "safetensors>=0.4",
            "types-PyYAML",
        ],
    },
    entry_points={"console_scripts": ["estimator-ckpt = estimator_ckpt.cli.main:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
