/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: the object of a template, or of an ISO, which is an image of that format. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

extern const struct api_listing cs_templates, cs_isos;

/* CloudStack's details about the hardware of a machine or a template, as far as it is unusual. They return their number. */
enum { CS_DETAILS_MAX = 4 };
/* Dari's own detail: the licences of its software, "rhel:byos". */
#define CS_LICENCE_DETAIL "licence"
struct instance;
size_t cs_details_of_template(struct arena *a, const struct image *image,
			      struct tag at[static CS_DETAILS_MAX]);
size_t cs_details_of_machine(struct arena *a, const struct instance *instance,
			     struct tag at[static CS_DETAILS_MAX]);
/* Writes the details as an object of that name. */
void cs_write_details(struct json_writer *w, const char *name, const struct tag *at, size_t count);

/* Translates CloudStack's format, in any case: "qcow2" for "QCOW2"; empty: it is not supported. */
struct str cs_read_format(struct str format);

/* True if its guests set the password from the password server. */
bool cs_takes_password(const struct image *image);
/* member.write for an image. */
void cs_write_takes_password(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row);
