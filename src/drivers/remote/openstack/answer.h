/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: reads answers of Keystone and Nova. Pure; any thread. */
#pragma once

#include "drivers/remote/json.h"

/* Result of a sign-in. */
struct openstack_token {
	struct str project; /* id */
	struct str
		compute; /* URL of the compute service in the region, of the public interface; empty: none */
	struct str others[REMOTE_SERVICES]; /* URLs of the other services; empty: none */
	int64_t life_us;                    /* by the cloud's own clock */
	bool is_reader;                     /* its only role is "reader" */
};
/* ERR_IO: the answer is not usable. */
RESULT openstack_read_token(struct ctx *c, const json_t *root, struct str region,
			    struct openstack_token *ret_token);
/* The newest microversion of a version document, 93 for "2.93"; 1: the document says none. */
int openstack_read_minor(struct ctx *c, const json_t *root);
/* Reads "servers" of GET /servers/detail. The cursor is the last machine's id if there are more. */
RESULT openstack_read_servers(struct ctx *c, const json_t *root, struct remote_page *ret_page);
/* Reads "server" of GET /servers/{id}. */
RESULT openstack_read_server(struct ctx *c, const json_t *root, struct remote_machine *ret_machine);
