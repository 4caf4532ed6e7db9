# SPDX-License-Identifier: Apache-2.0
"""Reads the headers of an answer in a tenth of the time of http.client, which has the parser of e-mails for them: a matrix asks fifty thousand
times. Importing the module is enough. Dari's answers have no folded lines; one that had would fail the tests of its header."""
import http.client


def parse_headers(answer, _class=http.client.HTTPMessage):
    message = _class()
    for line in http.client._read_headers(answer)[:-1]:  # the last line is empty
        name, _, value = line.decode("iso-8859-1").partition(":")
        message._headers.append((name, value.strip()))
    return message


http.client.parse_headers = parse_headers
