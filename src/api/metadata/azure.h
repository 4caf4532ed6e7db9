/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service: services for guests of the personality azure.
 *
 *   azure.c           instance metadata service below /metadata on 169.254.169.254
 *   azure_instance.c  document of the instance in it
 *   azure_drive.c     provisioning disc
 *   azure_identity.c  signed documents and tokens
 *   azure_wire.c      WireServer on 168.63.129.16 port 80: the guest's agent reads its goal state and reports there
 *   azure_host.c      HostGAPlugin on port 32526, for the same agent
 *   azure_package.c   the program that runs extensions in the guest */
#pragma once

#include <jansson.h>

#include "api/core/pairs.h"
#include "api/metadata/imds.h"

enum {
	AZURE_BODY_MAX = 192 * 1024, /* bytes of an agent's report: a status, in base64 */
	AZURE_WIRE_PORT = 80,
	AZURE_HOST_PORT = 32526, /* HostGAPlugin */
};

/* ---- azure.c: /metadata ---- */

/* Answers a path below "metadata". Runs on a pool thread. */
void azure_answer_metadata(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct strs *path);
/* Reads the pairs of the query. ERR_INVALID. */
RESULT azure_read_query(struct call *call, struct pairs *ret_query);
/* Answers {"error": …}, or with an OAuth code {"error": code, "error_description": …}. */
void azure_fail(struct call *call, int status, const char *code, const char *words);
void azure_answer_json(struct call *call, int status, json_t *document); /* takes ownership; NULL: 500 */

/* ---- azure_instance.c ---- */

/* Makes the document below /metadata/instance; the caller checked its version. NULL: out of memory. */
json_t *azure_make_document(const struct imds_facts *s, bool is_extended);
json_t *azure_json_of(struct str text); /* NULL: out of memory */

/* Name of the user that the guest creates, and its computer name: at most 15 characters on Windows. */
struct str azure_user_name(const struct imds_facts *s);
struct str azure_computer_name(const struct imds_facts *s);

/* ---- azure_drive.c ---- */

/* Lists the files of the provisioning disc, in the facts' arena. ERR_NO_MEMORY. */
RESULT azure_list_drive(const struct imds_facts *s, struct compute_files *ret_files);

/* ---- azure_identity.c ---- */

/* Answer a GET; the caller checked its version. */
void azure_answer_attested(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct pairs *query);
void azure_answer_token(struct metadata *m, struct call *call, const struct imds_facts *s,
			const struct pairs *query);

/* ---- azure_wire.c, azure_host.c ---- */

/* Answers a request of a guest of the personality azure. Runs on a pool thread. */
void azure_answer_wire(struct metadata *m, struct call *call, const struct imds_facts *s);
/* False: the plugin has no such path. */
bool azure_answer_host(struct metadata *m, struct call *call, const struct imds_facts *s);
/* Answers with a text; an empty text means no body. */
void azure_answer_text(struct call *call, int status, const char *content_type, struct str text);
/* Answers an agent's report by the result of its change of rows. */
void azure_answer_reported(struct call *call, struct result result);

/* ---- azure_package.c ---- */

/* Writes a program that runs extensions: "Dari.RunCommand.xml" is its manifest, "Dari.RunCommand.zip" its package. ERR_NOT_FOUND. base: URL
 * of this service for the guest, "http://168.63.129.16". */
RESULT azure_write_package(struct str name, const char *base, struct buf *out, const char **ret_type);
/* Converts an extension's settings for our program: JSON with the script. ERR_INVALID: the settings have no script. */
RESULT azure_write_settings(struct arena *a, struct str settings, struct str *ret_json);
