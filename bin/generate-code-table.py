#!/usr/bin/env python3
"""Makes converters/dicom/code-table.generated.json from pydicom's copy of DICOM PS3.16 (MIT licence).

For development only: run it where pydicom 3.0.2 is installed, from the repository root, and commit the result.

    python3 bin/generate-code-table.py > converters/dicom/code-table.generated.json
"""

import json
import sys

import pydicom
from pydicom.sr._cid_dict import cid_concepts, name_for_cid
from pydicom.sr._concepts_dict import concepts

# Context groups of PS3.16, in order of preference: where two groups name a thing by different codes, the first wins.
TYPES_BY_CATEGORY = [7191, 7192, 7193, 7194, 7197, 7198, 7195, 7196]
MORE_STRUCTURES = [7140, 4031, 4030, 7602, 7601, 8134, 4209, 6116, 3827, 4]
SUBSTANCES = [12]
OTHERS = [7150, 244, 7162, 7005, 7202, 7203]


def codes_of(cid):
    found = []
    for scheme, keywords in cid_concepts[cid].items():
        for keyword in keywords:
            for value, (meaning, groups) in concepts[scheme].get(keyword, {}).items():
                if cid in groups:
                    found.append([value, scheme, meaning])
    return sorted(found, key=lambda code: (code[2].lower(), code[1], code[0]))


def main():
    groups = {}
    seen = set()
    for cid in TYPES_BY_CATEGORY + MORE_STRUCTURES + SUBSTANCES:
        fresh = [code for code in codes_of(cid) if (code[0], code[1]) not in seen]
        seen.update((code[0], code[1]) for code in fresh)
        groups[cid] = fresh
    for cid in OTHERS:
        groups[cid] = codes_of(cid)
    order = TYPES_BY_CATEGORY + MORE_STRUCTURES + SUBSTANCES + OTHERS
    lines = []
    for cid in order:
        rows = ",\n".join("      " + json.dumps(code, ensure_ascii=False) for code in groups[cid])
        name = json.dumps(name_for_cid[cid])
        lines.append(f'    {{ "cid": {cid}, "name": {name}, "codes": [\n{rows}\n    ] }}')
    source = f"DICOM PS3.16 context groups as in pydicom {pydicom.__version__} (MIT)"
    sys.stdout.write('{\n  "source": ' + json.dumps(source) + ',\n  "groups": [\n' + ",\n".join(lines) + "\n  ]\n}\n")


main()
