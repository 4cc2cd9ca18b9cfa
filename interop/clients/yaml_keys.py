"""Reads a YAML file, or each block of YAML in a Markdown file, and prints the names at the top of each, one line for one."""

import re
import sys

from yaml import safe_load

text = open(sys.argv[1]).read()
blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if sys.argv[1].endswith(".md") else [text]
for block in blocks:
    # YAML 1.1 reads a plain `on` as true.
    print(",".join("on" if name is True else name for name in safe_load(block)))
