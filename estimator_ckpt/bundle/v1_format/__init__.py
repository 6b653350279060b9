"""The V1 format, of before 2017: tables that hold names, shapes and values alike.

    v1_reader    tensors as arrays, as `BundleReader` reads those of a bundle
    v1_contents  which tensors and slices the tables say they have
    v1_values    the values of one slice, out of a TensorProto

Reading only: nothing writes this format. Which files make such a checkpoint is known to
`checkpoint/paths`; what its names mean to no module in here.
"""
