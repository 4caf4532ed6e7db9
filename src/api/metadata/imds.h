/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service: the instance metadata tree. imds_facts.c gathers from an open
 * view what may be said of the instance that asks, imds_tree.c has EC2's tree as a table, imds_role.c gives
 * credentials, openstack.c has Nova's tree, imds_token.c makes and checks IMDSv2 tokens, imds.c puts them
 * together. */
#pragma once

#include "auth/sign_in/session.h"
#include "base/buf.h"
#include "drivers/compute.h"
#include "engine/storage/volume/volume_attachment.h"
#include "http/server.h"

struct tables;
struct account;
struct address;
struct azure_guest;
struct dhcp_options;
struct iam_role;
struct image;
struct instance;
struct instance_event;
struct spot_request;
struct instance_profile;
struct instance_type;
struct port;
struct profile_association;
struct router;
struct subnet;
struct volume;
struct zone;

/* ---- what is known of who asks ---- */

struct imds_nic {
	const struct port *port;
	const struct subnet *subnet;            /* NULL: none */
	const struct dhcp_options *options;     /* what its VPC tells guests; NULL: nothing of its own */
	int64_t mtu;                            /* 0: not known */
	struct ips ips;                         /* its private addresses, the primary one first */
	struct ips ipv6s;                       /* its IPv6 addresses */
	struct cidrs prefixes;                  /* that are delegated to it, of both families */
	const struct subnet *ipv6_subnet;       /* what they are in; NULL: none */
	const struct address *const *addresses; /* the public ones, by the private ones */
	size_t address_count;
	struct strs groups; /* names */
};

/* What a variable part of a path stands for: places in the lists of struct imds_facts. */
enum imds_var { IMDS_KEY, IMDS_MAC, IMDS_PUBLIC, IMDS_VOLUME, IMDS_LOCAL, IMDS_TAG, IMDS_ROLE, IMDS_VARS };

/* The rows of one instance, of a view that stays open while they are used. */
struct imds_facts {
	const struct instance *instance;
	const struct account *account;
	const struct image *image;
	const struct instance_type *type;
	struct str zone_name;        /* Nova's zone that it is in */
	struct str zone_number;      /* Azure's: by the order of the zones' names, from 1 on */
	const struct zone *zone;     /* these four: NULL when forgotten meanwhile */
	const struct router *router; /* NULL: looked at without one, as the next two are then empty */
	struct cidrs blocks;         /* of the VPC: its own, or its subnets' */
	const struct imds_nic *nics; /* by device index; who asks has at least one */
	size_t nic_count;
	const struct volume *root;           /* NULL: none */
	const struct volume *const *volumes; /* the others, in order */
	size_t volume_count;
	struct volume_list local; /* its local disks, in order */
	struct tags tags;         /* those that paths can name; none unless allowed */
	const struct profile_association *association;
	const struct instance_profile *profile; /* NULL: it has none; then none of these is */
	const struct iam_role *iam_role;        /* NULL: nor has the profile */
	struct imds_roles *roles;               /* gives its credentials; NULL: nothing does, on a drive */
	struct imds_issued *issued;         /* set when it was given new ones, if somebody wants to know */
	const struct instance_event *event; /* NULL: none */
	const struct spot_request *spot;    /* NULL: it is on-demand */
	const struct azure_guest *azure;    /* NULL: nothing was said of it in Azure's words */
	struct str azure_name, azure_group; /* what Azure's face calls it, and the group that it is in */
	struct str region, domain, public_domain;
	struct str admin_password; /* on a drive only; empty: none */
	struct arena *arena;       /* of the call */
	size_t at[IMDS_VARS];      /* what the path at hand names */
};

/* The instance with that address in the network, behind no router. ERR_NOT_FOUND, ERR_NO_MEMORY. */
RESULT imds_gather_facts_on_link(const struct tables *t, struct arena *a, uuid network, struct ip ip,
				 struct imds_facts *ret_facts);

/* The instance with that address in that router. ERR_NOT_FOUND, ERR_NO_MEMORY. Lists are in the
 * arena, rows the view's. */
RESULT imds_gather_facts(const struct tables *t, struct arena *a, uuid router, struct ip ip,
			 struct imds_facts *ret_facts);

/* The same of an instance by its id, which may be without a router and NICs. */
RESULT imds_gather_facts_of(const struct tables *t, struct arena *a, uuid instance,
			    struct imds_facts *ret_facts);

/* ---- the tree ---- */

/* path: below a version, "meta-data/ami-id"; empty: its root. Adds the leaf's text or the
 * directory's listing to out. ERR_NOT_FOUND. */
RESULT imds_write_path(struct imds_facts *s, const struct strs *path, struct buf *out, bool *ret_is_binary);

/* Likewise, below /openstack: path begins with a version; empty: the list of them. */
RESULT imds_write_openstack(const struct imds_facts *s, const struct strs *path, struct buf *out,
			    bool *ret_is_binary);

/* What Nova calls the guest, without a domain: its server's name as a label of DNS, else made of its address or id. In the
 * facts' arena. */
struct str imds_openstack_host_name(const struct imds_facts *s);

/* It is where a guest may tell its password: "openstack/latest/password". */
bool imds_takes_password(const struct strs *path);

/* The same files as a config drive has them. ERR_NO_MEMORY. */
RESULT imds_list_openstack(const struct imds_facts *s, struct compute_files *ret_files);

/* ---- the role of its instance profile ---- */

struct imds_roles;
struct sigv4;

/* Gives credentials that the verifier takes. NULL when out of memory. */
struct imds_roles *imds_roles_new(struct sigv4 *sigv4);
void imds_roles_free(struct imds_roles *r); /* NULL: nothing */

/* New credentials of a role, in the arena of the call that asked. Whoever wants to know of them keeps them
 * when they may go out: until then the next call gets others. */
struct imds_issued {
	bool is_new;
	uuid instance, iam_role;
	struct str account_number, role, instance_id; /* "i-…" */
	struct str key_id, secret, token;
	int64_t issued_us;
};
void imds_keep_issued(struct imds_roles *r, const struct imds_issued *issued);

/* Credentials of the role of who asks, who has one: those that it has been given, or new ones. */
struct imds_session {
	bool is_trusted; /* the role lets machines take it; else there are none */
	struct session_credentials texts;
	int64_t issued_us, expires_us;
};
RESULT imds_get_session(struct ctx *c, const struct imds_facts *s, struct imds_session *ret_session);

/* iam/info and iam/security-credentials/ROLE; there is a profile, and for the latter a role. */
void imds_write_profile(const struct imds_facts *s, struct buf *b);
void imds_write_credentials(const struct imds_facts *s, struct buf *b);

/* ---- CloudStack's passwords ---- */

struct metadata;
/* Of a call for "/". False: it asks for something else. */
bool imds_answer_password(struct metadata *m, struct call *call, const struct imds_facts *s);

/* ---- tokens ---- */

enum { TOKEN_TTL_MAX_S = 21600 };

/* A token for the instance, good for ttl_s seconds from now. It holds no secret and is not kept
 * anywhere: its MAC says that we made it, for whom, and until when. */
struct str imds_make_token(struct arena *a, const uint8_t key[static 32], uuid instance, int64_t ttl_s);
/* Seconds that are left, or 0: not ours, another instance's, or over. */
int64_t imds_check_token(struct arena *a, const uint8_t key[static 32], uuid instance, struct str token);

/* ---- HTTP ---- */

/* An answer that has credentials in it: new ones go out when they are recorded. Takes the body. */
void imds_answer_secret(struct metadata *m, struct call *call, const struct imds_issued *issued,
			const char *content_type, struct buf *body);

/* The face's: self is a struct metadata, the call's tag a struct place. On a pool thread. */
void imds_handle(void *self, struct call *call);
void imds_handle_wire(void *self, struct call *call);
/* The same for whoever is told of, by an instance's id before the path; the call's tag means nothing. */
void imds_handle_named(void *self, struct call *call);
