/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service: what guests of the personality azure find. azure.c has the instance metadata service
 * below /metadata on 169.254.169.254, azure_instance.c its document of the instance, azure_drive.c the provisioning disc, azure_identity.c what is signed;
 * azure_wire.c is the WireServer on 168.63.129.16 port 80 and azure_host.c the HostGAPlugin on port 32526, which an agent
 * in the guest asks for its goal, and reports to; azure_package.c is the program that extensions are run by. */
#pragma once

#include <jansson.h>

#include "api/core/pairs.h"
#include "api/metadata/imds.h"

enum {
	AZURE_BODY_MAX = 192 * 1024, /* of what an agent reports: a status, in base64 */
	AZURE_WIRE_PORT = 80,
	AZURE_HOST_PORT = 32526, /* of the plugin */
};

/* ---- azure.c: /metadata ---- */

/* path: below "metadata". On a pool thread. */
void azure_answer_metadata(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct strs *path);
/* The query's pairs. ERR_INVALID. */
RESULT azure_read_query(struct call *call, struct pairs *ret_query);
/* {"error": …}, or with a code of OAuth's {"error": code, "error_description": …}. */
void azure_fail(struct call *call, int status, const char *code, const char *words);
void azure_answer_json(struct call *call, int status, json_t *document); /* takes it; NULL: 500 */

/* ---- azure_instance.c ---- */

/* The document below /metadata/instance, of a version that is known. NULL: out of memory. */
json_t *azure_make_document(const struct imds_facts *s, bool is_extended);
json_t *azure_json_of(struct str text); /* NULL: out of memory */

/* The user that the guest makes, and what it calls itself: Windows' names have 15 characters at most. */
struct str azure_user_name(const struct imds_facts *s);
struct str azure_computer_name(const struct imds_facts *s);

/* ---- azure_drive.c ---- */

/* The files of its provisioning disc, in the facts' arena. ERR_NO_MEMORY. */
RESULT azure_list_drive(const struct imds_facts *s, struct compute_files *ret_files);

/* ---- azure_identity.c ---- */

/* Of a GET whose version was checked. */
void azure_answer_attested(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct pairs *query);
void azure_answer_token(struct metadata *m, struct call *call, const struct imds_facts *s,
			const struct pairs *query);

/* ---- azure_wire.c, azure_host.c ---- */

/* Of a guest of the personality azure. On a pool thread. */
void azure_answer_wire(struct metadata *m, struct call *call, const struct imds_facts *s);
/* False: nothing of the plugin's has that path. */
bool azure_answer_host(struct metadata *m, struct call *call, const struct imds_facts *s);
/* 200 with a text; empty: without a body. */
void azure_answer_text(struct call *call, int status, const char *content_type, struct str text);
/* Likewise of what a change of rows came to. */
void azure_answer_reported(struct call *call, struct result result);

/* ---- azure_package.c ---- */

/* Which of our programs a path names: "Dari.RunCommand.xml" is its manifest, "Dari.RunCommand.zip" itself. ERR_NOT_FOUND.
 * base: where we are reached, "http://168.63.129.16". */
RESULT azure_write_package(struct str name, const char *base, struct buf *out, const char **ret_type);
/* The settings of an extension as our program reads them: JSON with its script. ERR_INVALID: they say no script. */
RESULT azure_write_settings(struct arena *a, struct str settings, struct str *ret_json);
