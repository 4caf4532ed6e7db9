/* SPDX-License-Identifier: Apache-2.0
 * The forms of a call of CloudWatch's: AWS's query protocol with XML, AWS JSON 1.0, and Smithy RPC v2 in CBOR, in which newer SDKs
 * ask. A typed request is read as the query protocol's pairs, and an answer is written once for all of them. Sources: Smithy's
 * specifications of AWS JSON 1.0 and of RPC v2 CBOR; RFC 8949. On the call's thread. */
#pragma once

#include "api/core/dispatch.h"
#include "base/json_write.h"
#include "base/xml.h"

enum cloudwatch_form { CLOUDWATCH_QUERY, CLOUDWATCH_JSON, CLOUDWATCH_CBOR };

/* By its headers. */
enum cloudwatch_form cloudwatch_form_of(const struct call *call);
/* "application/cbor" */
const char *cloudwatch_content_type(enum cloudwatch_form form);

/* The request's body, expanded. ERR_MALFORMED: it is not as its Content-Encoding says; ERR_TOO_LARGE. */
RESULT cloudwatch_read_body(struct ctx *c, const struct call *call, struct str *ret_body);

/* A JSON or CBOR request as a form of the query protocol, in the arena: lists are NAME.member.1, times ISO 8601. ERR_MALFORMED: it is
 * no such document; ERR_TOO_LARGE: it is nested too deep. ERR_UNSUPPORTED: it names no operation. */
RESULT cloudwatch_read_typed(struct ctx *c, const struct call *call, struct str body,
			     enum cloudwatch_form form, struct str *ret_form);

/* Sticky; what is opened is closed. An element of a list needs no name. */
enum { FIGURES_DEPTH_MAX = 12 };
struct forms_writer {
	enum cloudwatch_form form;
	struct buf *out;
	struct xml *xml; /* writer of the query protocol */
	struct json_writer json;
	const char *names[FIGURES_DEPTH_MAX];
	bool is_list[FIGURES_DEPTH_MAX];
	size_t depth;
};
/* xml: where the query protocol's answer goes on; else NULL. */
void forms_begin(struct forms_writer *w, enum cloudwatch_form form, struct buf *out, struct xml *xml);
void forms_open(struct forms_writer *w, const char *name);
void forms_open_list(struct forms_writer *w, const char *name);
void forms_close(struct forms_writer *w); /* of either */
void forms_text(struct forms_writer *w, const char *name, struct str text);
void forms_int(struct forms_writer *w, const char *name, int64_t value);
void forms_bool(struct forms_writer *w, const char *name, bool value);
void forms_number(struct forms_writer *w, const char *name, double value);
void forms_time(struct forms_writer *w, const char *name, int64_t time_us);
RESULT
forms_end(struct forms_writer *w); /* the one place that reports a failure; not of the query protocol's */
