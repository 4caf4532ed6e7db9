/* SPDX-License-Identifier: Apache-2.0
 * A cached answer in gzip format (RFC 1952), compressed once for all calls that get it. The request id, which differs from call to
 * call, is a stored block (RFC 1951) between two compressed parts, so that each call writes its own without compressing anything.
 * Compression makes the length of an answer depend on its content, so an answer that mixes secrets with a stranger's words must
 * not be compressed; cached answers contain no secrets, since calls that show one are audited and never cached. */
#pragma once

#include "base/buf.h"
#include "http/server.h"

struct response_zip;

/* True if the client takes gzip: Accept-Encoding names it, and not with q=0 (RFC 9110, 12.5.3). */
bool response_zip_is_asked(const struct call *call);
/* Compresses the texts before and behind an id of id_size characters; 0: there is none, and all is behind. NULL: no memory, or
 * the result would not be smaller. */
struct response_zip *response_zip_new(struct str before, size_t id_size, struct str behind);
void response_zip_free(struct response_zip *z); /* NULL: nothing */
size_t response_zip_size(const struct response_zip *z);
/* Appends the whole stream, with the id in its place. The id has id_size characters. */
void response_zip_write(const struct response_zip *z, struct str id, struct buf *out);
