"""What `bundle/files.py` does on this machine's disks: whole files, links, temporaries.

Code that needs a file asks files.py, so that another store can take the place of this
folder. No checkpoint in here: a file is a name and bytes.
"""
