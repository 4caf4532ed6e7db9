/* SPDX-License-Identifier: Apache-2.0
 * AWS Certificate Manager: certificates that users import. AWS JSON 1.1, signed. Source: ACM API Reference, 2015-12-08. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol acm_protocol;

/* True for a request signed for the service "acm". */
bool acm_has_call(const struct call *call);

/* The calls as a table in Markdown. */
void acm_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void acm_dump_actions(struct buf *out);
