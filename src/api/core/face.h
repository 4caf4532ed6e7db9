/* SPDX-License-Identifier: Apache-2.0
 * A face as a whole: what the region lends it, its actions, and its life. */
#pragma once

#include "api/core/action.h"
#include "api/core/response_cache.h"

struct api_protocol;
struct scaling_source;
struct bearers;
struct login_links;
struct executor;
struct guards;
struct issuers;
struct limits;
struct fleet_override;
struct native_commands;
struct passwords;
struct sigv4;
struct tickets;
struct tokens;
struct last_used;

/* What a region lends its faces; each uses a part of it. All of it lives longer than the faces. */
struct api_config {
	struct store *store;
	struct guards *guards;         /* what policies say; NULL: roles alone decide */
	struct limits *limits;         /* how often a caller may ask; NULL: as often as they like */
	struct reconciler *reconciler; /* NULL: no host can be asked */
	struct sigv4 *sigv4;           /* who signed, as AWS's clients sign */
	struct tokens *tokens;         /* who asks, by OpenStack's tokens */
	struct bearers *bearers;       /* who asks, by Azure's tokens */
	struct tickets *tickets;       /* that consoles are opened with */
	struct login_links *entries;   /* one-time links into the pages; NULL: there are none */
	struct issuers *issuers;       /* of web identities; NULL: none can be asked */
	struct passwords
		*passwords; /* how people prove who they are; their lane is a face's own; NULL: they cannot */
	struct lane *key_lane;     /* where key pairs are made */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes, which open the secrets of access keys */
	const struct native_commands *commands; /* the operator's; NULL: there are none */
	struct executor *executor;              /* of actors of a face's own; NULL: it has none */
	struct last_used *uses; /* where uses of keys, roles and passwords are noted; NULL: nowhere */
	/* Reads the launches of a scaling group's source in the caller's open view, as the caller: EC2's face knows the parameters. An override whose
	 * parameters are refused says so itself. NULL: groups launch nothing. */
	struct result (*read_scaling)(struct ctx *c, const struct view *view,
				      const struct scaling_source *source,
				      struct fleet_override **ret_launches, size_t *ret_count);
	struct str region;           /* its name; a face copies it */
	struct str ticket_directory; /* where files of tickets are; empty: none can be attached */
	struct str backup_target;    /* where volumes' backups are kept; empty: nowhere, and none is made */
	struct str endpoint; /* "http://127.0.0.1:8788", where no request says how it found us; copied */
};

/* An action, and what the audit log says of it (NULL: nothing). */
struct api_entry {
	const struct api_action *action;
	const struct audited *audited;
};
struct api_entry api_entry_of(const struct api_action *action);

enum { API_ACTIONS_MAX = 384 };

/* Actions that are found by their names, sorted by them. */
struct api_entries {
	struct api_entry at[API_ACTIONS_MAX];
	size_t count;
	bool ignores_case; /* of names */
};
/* Of all groups. No name may stand twice. */
void api_sum_actions(const struct api_groups *groups, struct api_entries *ret_entries);
/* NULL: there is none of that name. */
const struct api_entry *api_find_action(const struct api_entries *entries, struct str name);

/* A face's own struct begins with this. */
struct api_face {
	const struct api_protocol *protocol;
	struct api_config config;
	struct lane *lane;            /* where work is done when prepare says nothing */
	struct response_cache *cache; /* NULL: no answer is cached */
	struct api_entries entries;
	char *region, *endpoint; /* private: the config's copies */
};

/* Makes a face of protocol->face_size bytes. ERR_NO_MEMORY. */
RESULT api_face_new(struct ctx *c, const struct api_protocol *protocol, const struct api_config *config,
		    struct api_face **ret_face);
void api_face_free(struct api_face *face); /* after its listeners are gone; NULL: nothing */

/* ---- for listeners ---- */

enum { API_BODY_CAP_SIZE = 1024 * 1024 };

/* For http_listen(), with a face as self. Where faces share a listener, its own functions choose the face and call
 * these; bodies are bounded by the listener. */
extern const struct http_face api_http_face;
void api_handle_call(void *self, struct call *call);
void api_begin_call(void *self, struct call *call);
void api_reject(void *self, struct call *call, int status, enum err why);

/* A table in Markdown: each action, what it does, which parameters are refused. */
void api_write_coverage(struct buf *out, const struct api_groups *groups);
