/* SPDX-License-Identifier: Apache-2.0
 * EventBridge: rules of the default event bus, their targets, and events that accounts put. AWS JSON 1.1, signed. Source: Amazon
 * EventBridge API Reference, 2015-10-07. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol events_protocol;

/* True for a request signed for the service "events". */
bool events_has_call(const struct call *call);

/* The calls as a table in Markdown. */
void events_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void events_dump_actions(struct buf *out);
