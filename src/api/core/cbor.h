/* SPDX-License-Identifier: Apache-2.0
 * Writes answers in CBOR. Source: RFC 8949; heads are in its preferred serialization, for SDKs compare keys by their
 * bytes. On the call's thread. */
#pragma once

#include "base/buf.h"

/* In front of texts; other items have theirs where they are written. */
void cbor_add_text(struct buf *out, struct str text);
