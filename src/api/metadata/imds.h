/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service: the instance metadata tree. imds_facts.c collects the facts of the requesting instance from an open view, imds_tree.c has EC2's tree as a table,
 * imds_role.c issues credentials, openstack.c has Nova's tree, imds_token.c makes and checks IMDSv2 tokens, and imds.c is the
 * HTTP handler. */
#pragma once

#include "auth/sign_in/session.h"
#include "base/buf.h"
#include "drivers/compute.h"
#include "engine/instance/connect_key.h"
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

/* ---- facts of the requesting instance ---- */

struct imds_nic {
	const struct port *port;
	const struct subnet *subnet;        /* NULL: none */
	const struct dhcp_options *options; /* DHCP options of the VPC; NULL: defaults */
	int64_t mtu;                        /* 0: not known */
	struct ips ips;                     /* private IPv4 addresses, the primary address first */
	struct ips ipv6s;                   /* its IPv6 addresses */
	struct cidrs prefixes;              /* delegated prefixes of both families */
	const struct subnet *ipv6_subnet;   /* subnet of ipv6s; NULL: none */
	const struct address *const
		*addresses; /* public addresses, in the order of their private addresses */
	size_t address_count;
	struct strs groups; /* names */
};

/* Variable parts of a path; each is an index into a list of struct imds_facts. */
enum imds_var {
	IMDS_KEY,
	IMDS_MAC,
	IMDS_PUBLIC,
	IMDS_VOLUME,
	IMDS_LOCAL,
	IMDS_TAG,
	IMDS_ROLE,
	IMDS_USER,
	IMDS_VARS
};

/* Rows of an instance. The view that they are from must stay open while they are used. */
struct imds_facts {
	const struct instance *instance;
	const struct account *account;
	const struct image *image;
	const struct instance_type *type;
	struct str zone_name;    /* Nova's availability zone */
	struct str zone_number;  /* Azure's zone number, counted from 1 in the order of the zones' names */
	const struct zone *zone; /* account, image, type and zone may be NULL if their rows were purged */
	const struct router
		*router; /* NULL: the instance is read without a router; then blocks and nics may be empty */
	struct cidrs blocks;         /* CIDR blocks of the VPC, or those of its subnets */
	const struct imds_nic *nics; /* by device index; an instance that sends a request has at least one */
	size_t nic_count;
	const struct volume *root;           /* NULL: none */
	const struct volume *const *volumes; /* other volumes, by device */
	size_t volume_count;
	struct volume_list local; /* local disks, by device */
	struct tags tags; /* tags that paths can name; none unless the instance's options allow tags */
	const struct profile_association *association;
	const struct instance_profile *profile; /* NULL: none; then iam_role is NULL, too */
	const struct iam_role *iam_role;        /* NULL: the profile has no role */
	struct imds_roles *roles; /* issues the role's credentials; NULL: none, as on a config drive */
	struct imds_issued
		*issued; /* set if new credentials were issued; NULL: the caller does not record them */
	struct connect_key_list keys;       /* of EC2 Instance Connect, by user */
	const struct instance_event *event; /* NULL: none */
	const struct spot_request *spot;    /* NULL: an on-demand instance */
	const struct azure_guest *azure;    /* NULL: no data of Azure's face */
	struct str azure_name, azure_group; /* its name in Azure's face, and its resource group */
	struct str region, domain, public_domain;
	struct str admin_password; /* on a config drive only; empty: none */
	struct arena *arena;       /* the call's arena */
	size_t at[IMDS_VARS];      /* indexes of the variables in the current path */
};

/* Collects the facts of the instance with that address in a network without a router. ERR_NOT_FOUND, ERR_NO_MEMORY. */
RESULT imds_gather_facts_on_link(const struct tables *t, struct arena *a, uuid network, struct ip ip,
				 struct imds_facts *ret_facts);

/* Collects the facts of the instance with that address in the router. ERR_NOT_FOUND, ERR_NO_MEMORY. Lists are in the arena, the
 * view owns the rows. */
RESULT imds_gather_facts(const struct tables *t, struct arena *a, uuid router, struct ip ip,
			 struct imds_facts *ret_facts);

/* Collects the facts of an instance by its id; it may have neither router nor NICs. */
RESULT imds_gather_facts_of(const struct tables *t, struct arena *a, uuid instance,
			    struct imds_facts *ret_facts);

/* ---- the tree ---- */

/* path: below a version, "meta-data/ami-id"; empty: its root. Adds the leaf's text or the
 * directory's listing to out. ERR_NOT_FOUND. */
RESULT imds_write_path(struct imds_facts *s, const struct strs *path, struct buf *out, bool *ret_is_binary);

/* Writes a path below /openstack in the same way. The path begins with a version; empty: the list of versions. */
RESULT imds_write_openstack(const struct imds_facts *s, const struct strs *path, struct buf *out,
			    bool *ret_is_binary);

/* Nova's host name of the guest without a domain: the server's name as a DNS label, else a name made from its address or id. In the
 * facts' arena. */
struct str imds_openstack_host_name(const struct imds_facts *s);

/* True for "openstack/latest/password", where a guest may post its encrypted password. */
bool imds_takes_password(const struct strs *path);

/* Lists the files of Nova's tree for a config drive. ERR_NO_MEMORY. */
RESULT imds_list_openstack(const struct imds_facts *s, struct compute_files *ret_files);

/* ---- the role of its instance profile ---- */

struct imds_roles;
struct sigv4;

/* Issuer of role credentials that sigv4 accepts. NULL: out of memory. */
struct imds_roles *imds_roles_new(struct sigv4 *sigv4);
void imds_roles_free(struct imds_roles *r); /* NULL: nothing */

/* New credentials of a role, in the arena of the call. The caller stores them with imds_keep_issued() once they may be sent; before
 * that, another call gets other credentials. */
struct imds_issued {
	bool is_new;
	uuid instance, iam_role;
	struct str account_number, role, instance_id; /* "i-…" */
	struct str key_id, secret, token;
	int64_t issued_us;
};
void imds_keep_issued(struct imds_roles *r, const struct imds_issued *issued);

/* Credentials of the requesting instance's role, which it must have: those issued before, or new ones. */
struct imds_session {
	bool is_trusted; /* the role's trust policy allows instances; else there are no credentials */
	struct session_credentials texts;
	int64_t issued_us, expires_us;
};
RESULT imds_get_session(struct ctx *c, const struct imds_facts *s, struct imds_session *ret_session);

/* Write iam/info and iam/security-credentials/ROLE. The instance must have a profile, for the second also a role. */
void imds_write_profile(const struct imds_facts *s, struct buf *b);
void imds_write_credentials(const struct imds_facts *s, struct buf *b);

/* ---- CloudStack's passwords ---- */

struct metadata;
/* Answers a call for "/". False: not a request of CloudStack's password server (header DomU_Request). */
bool imds_answer_password(struct metadata *m, struct call *call, const struct imds_facts *s);

/* ---- tokens ---- */

enum { TOKEN_TTL_MAX_S = 21600 };

/* Makes a token for the instance, valid for ttl_s seconds. The token holds no secret and nothing stores it: its MAC proves that we
 * made it for this instance and until when. */
struct str imds_make_token(struct arena *a, const uint8_t key[static 32], uuid instance, int64_t ttl_s);
/* Returns the seconds until the token expires; 0: forged, another instance's, or expired. */
int64_t imds_check_token(struct arena *a, const uint8_t key[static 32], uuid instance, struct str token);

/* ---- HTTP ---- */

/* Answers with credentials in the body. New credentials are sent only after the audit log has recorded them. Takes ownership of the body. */
void imds_answer_secret(struct metadata *m, struct call *call, const struct imds_issued *issued,
			const char *content_type, struct buf *body);

/* Handlers of the HTTP listeners: self is a struct metadata, the call's tag a struct place. Run on a pool thread. */
void imds_handle(void *self, struct call *call);
void imds_handle_wire(void *self, struct call *call);
/* Handles a request whose path begins with the id of the instance that it is for; ignores the call's tag. */
void imds_handle_named(void *self, struct call *call);
