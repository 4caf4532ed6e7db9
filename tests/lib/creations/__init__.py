# SPDX-License-Identifier: Apache-2.0
"""Creations with every parameter, and where each value shows afterwards (tests/contract/cross/create.py). Each module adapts one face:

name, actions   as the adapters of tests/lib/faces/ have them
make()          makes a region and what others are made of
cases           {kind of case: names}; each kind is a method (place, name) that asserts. "made": the rows, in their order; "whole", behind
                them: that the rows gave every parameter that the tables have"""
