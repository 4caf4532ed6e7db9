/* SPDX-License-Identifier: Apache-2.0
 * Forms of calls of CloudWatch and SQS: AWS's query protocol with XML, AWS JSON 1.0, and Smithy RPC v2 in CBOR, in which newer SDKs
 * ask. A typed request is read as the query protocol's pairs, and an answer is written once for all of them. Sources: Smithy's
 * specifications of AWS JSON 1.0 and of RPC v2 CBOR; RFC 8949. On the call's thread. */
#pragma once

#include "api/core/dispatch.h"
#include "base/json_write.h"
#include "base/xml.h"

enum query_form { FORM_QUERY, FORM_JSON, FORM_CBOR };

/* By its headers. */
enum query_form forms_find(const struct call *call);
/* "application/cbor" */
const char *forms_content_type(enum query_form form);

/* The request's body, expanded. ERR_MALFORMED: it is not as its Content-Encoding says; ERR_TOO_LARGE. */
RESULT query_read_body(struct ctx *c, const struct call *call, struct str *ret_body);

/* A member whose name in the query protocol differs. */
struct typed_name {
	const char *typed, *query; /* query NULL: the operation's name with "RequestEntry" */
	const char *key;           /* a map is a list of entries with this member and Value; NULL: no map */
};
/* A service whose requests come in JSON or CBOR. */
struct typed_service {
	const char *name, *version;       /* "AmazonSQS", "2012-11-05" */
	const char *element;              /* stands before the number of a list's element: "member." */
	bool (*is_time)(struct str path); /* NULL: no number is a time */
	const struct typed_name *names;   /* ends with a row of NULLs; NULL: none */
};

/* A JSON or CBOR request as a form of the query protocol, in the arena; times are ISO 8601. ERR_MALFORMED: it is no such document;
 * ERR_TOO_LARGE: it is nested too deep. ERR_UNSUPPORTED: it names no operation. */
RESULT query_read_typed(struct ctx *c, const struct call *call, const struct typed_service *service,
			struct str body, enum query_form form, struct str *ret_form);

/* Like query_find_action(), for a document, too, and for up to REQUEST_PAIRS_MANY pairs. */
RESULT query_find_typed_action(struct api_call *e, const struct typed_service *service, enum query_form form);
/* Writes the problem's document in JSON or CBOR. SDKs go on telling the code of the query protocol, by a header; `shape` is the
 * error's name in the service's model, after `prefix`: "com.amazonaws.sqs#". */
RESULT forms_write_problem(struct api_call *e, enum query_form form, struct api_problem *p,
			   const char *prefix, const char *shape, struct buf *body);

/* Sticky; what is opened is closed. An element of a list needs no name. */
enum { FIGURES_DEPTH_MAX = 12 };
struct forms_writer {
	enum query_form form;
	struct buf *out;
	struct xml *xml; /* writer of the query protocol */
	struct json_writer json;
	const char *names[FIGURES_DEPTH_MAX];
	const char *elements[FIGURES_DEPTH_MAX]; /* name of an element, for flat lists and maps in XML */
	const char *keys[FIGURES_DEPTH_MAX];     /* name of a key, for maps in XML */
	bool is_list[FIGURES_DEPTH_MAX];
	size_t depth;
};
/* xml: where the query protocol's answer goes on; else NULL. */
void forms_begin(struct forms_writer *w, enum query_form form, struct buf *out, struct xml *xml);
void forms_open(struct forms_writer *w, const char *name);
void forms_open_list(struct forms_writer *w, const char *name);
void forms_close(struct forms_writer *w); /* of any */
/* A list whose elements have a name of their own in XML, without an element around them. */
void forms_open_flat_list(struct forms_writer *w, const char *name, const char *element);
/* A map; in XML a flat list of elements that have a key and a Value. */
void forms_open_map(struct forms_writer *w, const char *name, const char *element, const char *key);
void forms_map_text(struct forms_writer *w, struct str key, struct str value);
/* A map's value that has members. */
void forms_open_value(struct forms_writer *w, struct str key);
void forms_close_value(struct forms_writer *w);
void forms_text(struct forms_writer *w, const char *name, struct str text);
void forms_int(struct forms_writer *w, const char *name, int64_t value);
void forms_bool(struct forms_writer *w, const char *name, bool value);
void forms_number(struct forms_writer *w, const char *name, double value);
void forms_time(struct forms_writer *w, const char *name, int64_t time_us);
RESULT
forms_end(struct forms_writer *w); /* the one place that reports a failure; not of the query protocol's */
