#!/usr/bin/python3
"""Puts what a CRM knows of the caller into sheets: crm_sheet.py CUSTOMERS.csv, whose first row names the columns, one of them
`number`. A display of docs/sheets.md shows a column with {program-COLUMN}."""
import csv
import sys

from ctibus import Program

program = Program("crm")
with open(sys.argv[1], encoding="utf-8", newline="") as file:
    customers = {row["number"]: row for row in csv.DictReader(file)}


@program.sheet(events=["incomingdid", "dial"])
def who_calls(call):
    return customers.get(call["number"], {})


program.run()
