/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: servers as they are written by everything that shows one. */
#pragma once

#include "api/openstack/list.h"

struct os_server_address {
	struct ip ip, floating; /* floating: none, or what stands for it */
	struct mac mac;
};

struct os_server_network {
	struct str name;
	VEC(struct os_server_address) addresses;
};

struct os_server {
	const struct instance *instance;
	const struct instance_type *type; /* NULL: gone, like what follows */
	const struct image *image;
	const struct zone *zone;
	const struct host *host;
	const struct server_group *group; /* NULL: none */
	const struct condition *fault;    /* of one in ERROR; else NULL */
	struct str status, task;
	VEC(struct os_server_network) networks;
	VEC(struct str) groups; /* names, each once */
	VEC(const struct volume *) volumes;
};

/* The members as they are in detail, by the microversion asked for. */
extern const struct os_listing os_server_details;

/* Its metadata are its tags with a value, its tags those without: an object, a list of words. */
void os_write_metadata(struct json_writer *w, const char *key, struct tags tags);
void os_write_server_tags(struct json_writer *w, const char *key, struct tags tags);
/* Filters of a list of words: "a,b". */
bool os_has_all_tags(struct os_call *e, const struct row *row, struct str value);
bool os_has_any_tag(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_some_tag(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_all_tags(struct os_call *e, const struct row *row, struct str value);
/* Words as tags. ERR_INVALID: one that no tag may be, or twice. */
RESULT os_read_server_tags(struct os_call *e, struct strs words, struct tags *ret_tags);
/* The project's own, also while it is being deleted; one that has ended is gone. ERR_NOT_FOUND. In walks. */
RESULT os_find_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance);
/* Likewise, but for one that is being deleted: nothing is said of it any more. */
RESULT os_find_live_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance);
/* A server's name: its own, else the tag Name that EC2's users give, else its id there. */
struct str os_server_name(struct arena *a, const struct instance *instance);
/* The label of a network: its name, else that of the EC2 subnet it was made for. In walks. */
struct str os_network_label(struct os_call *e, uuid network);
