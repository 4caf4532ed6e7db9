/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: the object of a template, or of an ISO, which is an image of that format. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

extern const struct api_listing cs_templates, cs_isos;

/* What CloudStack tells of the hardware of a machine, or of a template's, as details: what is not as usual. Their count. */
enum { CS_DETAILS_MAX = 4 };
/* Ours: who brings the licence of what it runs, as "rhel:byos". */
#define CS_LICENCE_DETAIL "licence"
struct instance;
size_t cs_details_of_template(struct arena *a, const struct image *image,
			      struct tag at[static CS_DETAILS_MAX]);
size_t cs_details_of_machine(struct arena *a, const struct instance *instance,
			     struct tag at[static CS_DETAILS_MAX]);
/* As an object of that name. */
void cs_write_details(struct json_writer *w, const char *name, const struct tag *at, size_t count);

/* Ours for CloudStack's: "qcow2" for "QCOW2", in any case; empty: it is none that is taken. */
struct str cs_read_format(struct str format);

/* Its guests set the password that they are told. */
bool cs_takes_password(const struct image *image);
/* As member.write, of the image. */
void cs_write_takes_password(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row);
