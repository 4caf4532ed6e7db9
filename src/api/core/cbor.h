/* SPDX-License-Identifier: Apache-2.0
 * What answers in CBOR are written of. Source: RFC 8949; heads are in its preferred serialization, for SDKs compare keys by their
 * bytes. On the call's thread. */
#pragma once

#include "base/buf.h"

/* In front of texts; other items have theirs where they are written. */
void cbor_add_text(struct buf *out, struct str text);
