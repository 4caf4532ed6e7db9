/* SPDX-License-Identifier: Apache-2.0
 * Writes answers in CBOR. Source: RFC 8949; heads are in its preferred serialization, for SDKs compare keys by their
 * bytes. On the call's thread. */
#pragma once

#include "base/buf.h"

/* Writes a text. */
void cbor_add_text(struct buf *out, struct str text);
/* Writes an integer. */
void cbor_add_int(struct buf *out, int64_t value);
