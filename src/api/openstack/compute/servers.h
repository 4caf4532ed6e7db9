/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: writes servers for all answers that contain them. */
#pragma once

#include "api/openstack/core/list.h"

struct condition;
struct host;
struct image;
struct instance;
struct instance_type;
struct server_group;

#define OS_SERVER(T, member) OS_PATH(T, "server_id", member, .kind = KIND_INSTANCE, .doc = "The server.")
/* Row of an action in the body of POST /servers/{server_id}/action. */
#define OS_SERVER_ACTION(word, policy, T, rows, ...)                                                         \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v2.1/servers/{server_id}/action", .verb = (word),             \
		.permit = "os_compute_api:" policy, .flags = API_WRITES, .status = 202,                      \
		.args = OS_PARAMS(T, rows), __VA_ARGS__                                                      \
	}

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
	struct str zone_name;
	const struct host *host;
	const struct server_group *group; /* NULL: none */
	const struct condition *fault;    /* fault of a server in ERROR; else NULL */
	struct str status, task, host_name;
	VEC(struct os_server_network) networks;
	VEC(struct str) groups; /* names, each once */
	VEC(const struct volume *) volumes;
};

struct instance_migration;
/* Nova's word of a live migration, or of a resize that is confirmed or reverted. */
const char *os_migration_status(const struct instance_migration *m);
/* Number for members that are integers in Nova: some bits of the id. */
int64_t os_number_of(uuid id);

/* Listing with all members of a server, by the request's microversion. */
extern const struct os_listing os_server_details;

/* Write the server's metadata, which are tags with a value, as an object, and its Nova tags, which are tags without a value, as a list of
 * words. */
void os_write_metadata(struct json_writer *w, const char *key, struct tags tags);
void os_write_server_tags(struct json_writer *w, const char *key, struct tags tags);
/* Filters by Nova tags; value: "a,b". */
bool os_has_all_tags(struct os_call *e, const struct row *row, struct str value);
bool os_has_any_tag(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_some_tag(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_all_tags(struct os_call *e, const struct row *row, struct str value);
/* Nova's format "name": printable, and neither end is a blank; names that may begin or end with blanks have another
 * character, too. ERR_INVALID. */
enum os_name_format { OS_NAME_PLAIN, OS_NAME_WITH_BLANK_ENDS };
RESULT os_check_name(struct os_call *e, struct str name, const char *field, enum os_name_format format);
/* Keys of metadata. ERR_INVALID. */
RESULT os_check_metadata_keys(struct os_call *e, struct tags tags, const char *field);
/* Checks the characters of a device's tag, which the guest reads from its metadata. ERR_INVALID. */
RESULT os_check_device_tag(struct os_call *e, struct str tag);
/* Reads words as Nova tags. ERR_INVALID: an invalid tag, or too many for a server. */
RESULT os_read_server_tags(struct os_call *e, struct strs words, struct tags *ret_tags);
/* The project's own, also while it is being deleted; one that has ended is gone. ERR_NOT_FOUND. ERR_STATE: see
 * os_check_unresized(). In walks. */
RESULT os_find_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance);
/* Nova shows VERIFY_RESIZE: the resize is to be confirmed or reverted. */
bool os_waits_for_resize(const struct instance *instance);
/* ERR_STATE: the call's action is none that Nova takes for such a server. */
RESULT os_check_unresized(struct os_call *e, const struct ref *ref, const struct instance *instance);
/* Refuses an action on a migrating server: Nova then allows only its deletion. ERR_STATE. */
RESULT os_check_stays(struct os_call *e, const struct ref *ref, const struct instance *instance);
/* Finds a server like os_find_server(), but not one that is being deleted. ERR_NOT_FOUND. */
RESULT os_find_live_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance);
/* Reads accessIPv4 or accessIPv6, the owner's address of the server: an address of the field's family; empty: none. ERR_INVALID. */
RESULT os_read_access_ip(struct os_call *e, struct str text, const char *field, struct ip *ret_ip);
/* A file of Nova's personality, into a struct guest_file. The account's limit refuses too many files. */
extern const struct params os_file_params;
enum { OS_FILES_MAX = 1000, OS_FILE_TEXT_MAX = 128 * 1024 };

enum { OS_PASSWORD_MAX = 255 /* of Nova's adminPass */ };
/* Nova's vm_state of it: "active", "stopped". While the view's tables are held. */
struct str os_server_vm_state(const struct tables *t, const struct instance *instance);
/* A server's name: its own, else the tag Name that EC2's users give, else its id there. */
struct str os_server_name(struct arena *a, const struct instance *instance);
/* The label of a network: its name, else that of the EC2 subnet it was made for. In walks. */
struct str os_network_label(struct os_call *e, uuid network);

/* The zone that a server is to be in, by its name: the region's, or one of aggregates, which is none of the region's
 * (kind none then). ERR_INVALID: there is no such zone, or it takes nothing. Kind none: OK. */
RESULT os_take_server_zone(struct os_call *e, struct ref *zone, struct str *ret_name);

/* Nova lets calls of older microversions not name a volume that several servers may have. ERR_INVALID. */
RESULT os_check_shared_volume(struct os_call *e, const struct ref *ref);
