"""Learning from samples, judged so that nobody is fooled: study -> run folder -> catalogue rows or a product.

Data travel as one `xarray.Dataset` along ``sample`` (see :mod:`armillary.learn.samples`), answers as plain arrays, and
everything that is kept is a plain file.
"""
