# SPDX-License-Identifier: Apache-2.0
"""Creations with every parameter, and checks of each shown value (tests/contract/cross/create.py). Each module adapts one face:

name, actions   as in the adapters of tests/lib/faces/
make()          creates a region and prerequisites of the rows
cases           {kind of case: names}; each kind is a method (place, name) that asserts. "made": the rows, in order; "whole", after them:
                that the rows gave every parameter of the tables"""
