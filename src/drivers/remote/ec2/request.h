/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: signed POSTs of the query APIs of EC2 and STS. */
#pragma once

#include "drivers/remote/ec2/answer.h"
#include "drivers/remote/ec2/items.h"
#include "drivers/remote/http.h"

#define EC2_VERSION "2016-11-15"

/* A request that is being written. It ends with ec2_call() or ec2_call_items(). */
struct ec2_form {
	struct ctx *c;
	struct buf text;
	bool only_reads;
};
void ec2_form_begin(struct ec2_form *f, struct ctx *c, const char *action, const char *version);
void ec2_form_add(struct ec2_form *f, const char *name, struct str value);
/* Adds "NAME.N", followed by ".MEMBER" or nothing. */
void ec2_form_add_nth(struct ec2_form *f, const char *name, size_t n, const char *member, struct str value);

/* Sends the form. Failures have the kind that the service's error code means. */
RESULT ec2_call(struct ec2_form *f, struct remote *r, const char *service, struct ec2_answer *ret_answer);
/* A call of EC2 whose answer is the document `root`, of which the items of all `lists` are read. */
RESULT ec2_call_items(struct ec2_form *f, struct remote *r, const char *root, struct ec2_items *lists,
		      size_t list_count);

struct xml_visitor;
/* A call whose answer is the document `root`, which the visitor reads. */
RESULT ec2_call_walk(struct ec2_form *f, struct remote *r, const char *service, const char *root,
		     const struct xml_visitor *visitor);

/* A call whose answer lists resources of the type. */
RESULT ec2_call_resources(struct ec2_form *f, struct remote *r, const char *service,
			  enum remote_resource_type type, struct remote_resource_page *ret_page);

/* The service's address: AWS's own, or the provider's endpoint. */
struct str ec2_endpoint_of(struct ctx *c, const struct remote *r, const char *service);
/* Sets the headers of a signed request. query: as it is sent. */
RESULT ec2_sign(struct ctx *c, const struct remote *r, const char *service, const struct remote_url *url,
		struct str query, struct remote_request *request);
/* The same, with further headers that the signature covers, in alphabetical order of their names in lower case. */
struct sigv4_header;
RESULT ec2_sign_headers(struct ctx *c, const struct remote *r, const char *service,
			const struct remote_url *url, struct str query, const struct sigv4_header *more,
			size_t more_count, struct remote_request *request);
/* The same for a call of AWS JSON 1.0. target: the header x-amz-target. */
RESULT ec2_sign_target(struct ctx *c, const struct remote *r, const char *service,
		       const struct remote_url *url, const struct sigv4_header *target,
		       struct remote_request *request);
/* The kind of failure that an error code of AWS's means. */
enum err ec2_err_of_code(struct str code, int status);
/* The kind of failure of an answer without the service's own error. */
enum err ec2_err_of_page(int status);
