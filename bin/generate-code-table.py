#!/usr/bin/env python3
"""Makes converters/dicom/code-table.generated.json from pydicom's copy of DICOM PS3.16 (MIT licence) and the table of
SNOMED codes in TotalSegmentator's package (Apache-2.0), for what the context groups do not name.

For development only: run it where pydicom 3.0.2 is installed, from the repository root, and commit the result.

    pip download --no-deps totalsegmentator==2.18.0
    unzip -p totalsegmentator-*.whl '*_snomed_mapping.csv' > snomed.csv
    python3 bin/generate-code-table.py snomed.csv > converters/dicom/code-table.generated.json
"""

import csv
import json
import sys

import pydicom
from pydicom.sr._cid_dict import cid_concepts, name_for_cid
from pydicom.sr._concepts_dict import concepts

# Context groups of PS3.16, in order of preference: where two groups name a thing by different codes, the first wins.
TYPES_BY_CATEGORY = [7191, 7192, 7193, 7194, 7197, 7198, 7195, 7196]
MORE_STRUCTURES = [7140, 4031, 4030, 7602, 7601, 8134, 4209, 6116, 3827, 4, 6300]
SUBSTANCES = [12]
OTHERS = [7150, 244, 7162, 7005, 7202, 7203, 219, 240, 7021, 7474]

# Of these groups only the terms named here: the rest is of no use as a segment.
CHOSEN_TERMS = {
    639: ["1187425009"],
    3031: ["7:920", "7:924", "7:928", "7:932"],
    3413: ["230690007"],
    6343: ["RID39467"],
    8135: ["4421005", "84640000"],
    9534: ["130051", "130052", "228791009"],
}

# Structures that TotalSegmentator names and no context group has.
CHOSEN_STRUCTURES = [
    "gluteus_maximus_left",
    "gluteus_medius_left",
    "gluteus_minimus_left",
    "iliopsoas_left",
    "heart_myocardium",
    "portal_vein_and_splenic_vein",
    "vertebrae_S1",
]
CHOSEN_FINDINGS = ["lung_covid_infiltrate"]

# Names and values of the content items of a measurement report (PS3.16 TID 1500 and what it includes), and of contours.
CONTENT_ITEMS = {
    "DCM": [
        *("111000", "111001", "111003", "111012", "112039", "112040", "121005", "121007", "121012", "121013", "121014"),
        *("121015", "121049", "121052", "121058", "121071", "121106", "121191", "121232", "125007", "126000", "126010"),
    ],
    "SCT": ["363698007", "272741003", "370129005", "118565006", "103339001", "363679005"],
    "UCUM": ["mm", "%"],
}


def codes_of(cid):
    found = []
    for scheme, keywords in cid_concepts[cid].items():
        for keyword in keywords:
            for value, (meaning, groups) in concepts[scheme].get(keyword, {}).items():
                if cid in groups:
                    found.append([value, scheme, meaning])
    return in_order(found)


def in_order(codes):
    return sorted(codes, key=lambda code: (code[2].lower(), code[1], code[0]))


def content_items():
    """Where a code has several meanings, the one that context groups use, and of those the shortest."""
    found = []
    for scheme, values in CONTENT_ITEMS.items():
        for value in values:
            meanings = [
                (not groups, len(meaning), meaning)
                for keyword in concepts[scheme].values()
                for code, (meaning, groups) in keyword.items()
                if code == value
            ]
            if not meanings:
                raise SystemExit(f"pydicom does not know {value} ({scheme})")
            found.append([value, scheme, min(meanings)[2]])
    return in_order(found)


def segmented_by_totalsegmentator(path, names):
    prefix = "SegmentedPropertyTypeCodeSequence."
    with open(path, encoding="utf-8", newline="") as file:
        rows = {row["Structure"]: row for row in csv.DictReader(file)}
    codes = [
        [rows[name][prefix + "CodeValue"], rows[name][prefix + "CodingSchemeDesignator"], rows[name][prefix + "CodeMeaning"]]
        for name in names
    ]
    # The table misspells one meaning.
    return in_order([[value, scheme, meaning.replace("minius", "minimus")] for value, scheme, meaning in codes])


def main():
    groups = []
    seen = set()

    def add(cid, name, codes):
        fresh = [code for code in codes if (code[0], code[1]) not in seen]
        seen.update((code[0], code[1]) for code in fresh)
        groups.append((cid, name, fresh))

    for cid in TYPES_BY_CATEGORY + MORE_STRUCTURES + SUBSTANCES:
        add(cid, name_for_cid[cid], codes_of(cid))
    for cid, values in CHOSEN_TERMS.items():
        chosen = [code for code in codes_of(cid) if code[0] in values]
        if len(chosen) != len(values):
            raise SystemExit(f"context group {cid} has not all of {values}")
        add(cid, name_for_cid[cid], chosen)
    add("TotalSegmentator structures", "Structures", segmented_by_totalsegmentator(sys.argv[1], CHOSEN_STRUCTURES))
    add("TotalSegmentator findings", "Findings", segmented_by_totalsegmentator(sys.argv[1], CHOSEN_FINDINGS))
    for cid in OTHERS:
        groups.append((cid, name_for_cid[cid], codes_of(cid)))
    groups.append(("content items", "Concept names and values of reports", content_items()))
    lines = []
    for cid, name, codes in groups:
        rows = ",\n".join("      " + json.dumps(code, ensure_ascii=False) for code in codes)
        lines.append(f'    {{ "cid": {json.dumps(cid)}, "name": {json.dumps(name)}, "codes": [\n{rows}\n    ] }}')
    source = (
        f"DICOM PS3.16 context groups as in pydicom {pydicom.__version__} (MIT); "
        "structures that they lack as in TotalSegmentator 2.18.0 (Apache-2.0)"
    )
    sys.stdout.write('{\n  "source": ' + json.dumps(source) + ',\n  "groups": [\n' + ",\n".join(lines) + "\n  ]\n}\n")


main()
