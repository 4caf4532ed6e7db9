/* SPDX-License-Identifier: Apache-2.0
 * The simulation: a whole region in one thread, called by several clients of several accounts through
 * its EC2, OpenStack, CloudStack and Azure faces, while hosts, network, database and process fail, all as one seed says.
 * Beside it stands a model, which knows what each account has to see through each face.
 *   main.c               seeds, processes, what is printed
 *   history.c            one history: who does what next; the checks at its end
 *   happenings.c         what goes wrong
 *   maintenance.c        maintenances of hosts
 *   contents.c           what guests write on their disks, and snapshots have of it
 *   request.c            a call: drawn, sent, answered, judged
 *   request_azure.c      what Azure's have besides: names in groups, paths, tokens, codes
 *   operations_*.c       one row per action: its weight, its parameters, what it does to the model
 *   model.c, listings*.c what there is; what is seen of it, compared
 *   errands.c            what only CloudStack has, from beginning to end with nothing else going on
 *   errands_azure.c      what only Azure has, likewise
 *   errands_deployment.c its deployments of templates
 *   policies.c           what the accounts' second users are denied
 *   bills.c              what is billed, counted a second time
 *   region.c             the region; answer.c reads XML and JSON
 * An action is added by a row in operations_*.c, a kind by a row in listings_*.c. */
#pragma once

#include "../unit/api/world.h"
#include "../unit/cloud/cloud.h"
#include "answer.h"
#include "base/random.h"

enum {
	ACCOUNTS = 3,
	ADMIN = ACCOUNTS, /* the administrator's, behind them */
	HOSTS = 3,
	CLIENTS = 9,
	THINGS_MAX = 4096,
	TAGS_MAX = 8,
	REFS_MAX = 6,
	TEXT_MAX = 1024,
	TOKENS_MAX = 128,
	CODES_MAX = 16,
	WRITINGS_MAX = 4096,
	IMAGE_GIBIBYTES = 2 /* of cloud.h's image */
};

/* What each account may have: little, so that the limits are met. */
enum { LIMIT_INSTANCES = 6, LIMIT_ADDRESSES = 3, LIMIT_ROUTERS = 3, LIMIT_GROUPS = 7 };

/* ---- bills.c ---- */

enum { BILLS_CHAINS = 256 };
struct bills {
	struct arena *arena; /* the cloud's */
	struct meter *meters[BILLS_CHAINS];
	int64_t counted_s; /* until when */
	char strange[160]; /* what is billed and was not seen */
};
void bills_open(struct bills *b, struct cloud *c);
void bills_listen(struct bills *b, struct cloud *c); /* to a process that was started */
struct simulation;
void bills_check(struct simulation *s);

/* ---- region.c ---- */

struct region {
	struct cloud *cloud;
	struct bills bills;
	struct sigv4 *sigv4;
	struct tokens *tokens;
	struct bearers *bearers;
	struct passwords *passwords;
	struct lane *key_lane;
	struct tickets *tickets;
	struct guards *guards;
	struct api_face *face;
	struct api_face *iam; /* for what a case needs of it */
	struct api_face *openstack;
	struct api_face *cloudstack;
	struct api_face *azure;
	bool deploys; /* Azure's face has somebody who carries deployments out */
	const uint8_t *master_key;
	struct world_user users[ACCOUNTS + 1];
	struct world_user hands[ACCOUNTS]; /* second users, whom policies deny */
	struct str image_id;
	/* CloudStack's, of what commands name: the zone, the template, t3.micro, gp3. */
	char zone[UUID_TEXT_SIZE], template[UUID_TEXT_SIZE], offering[UUID_TEXT_SIZE],
		disk_offering[UUID_TEXT_SIZE];
};

void region_open(struct region *r, uint64_t seed);
/* The face that takes the call. */
struct api_face *region_face_for(const struct region *r, const struct call *call);
void region_kill(struct region *r);    /* as by kill -9 */
void region_restart(struct region *r); /* after a kill; or in order */
/* The UUID of an id of EC2's; none when there is no such row. */
uuid region_find(struct region *r, enum kind kind, const char *id);

/* ---- model.c ---- */

struct request;
struct simulation;

enum life {
	LIVE,
	ENDING, /* its end is certain, and may or may not be seen yet */
	GONE
};

enum { MORE_BLOCKS_MAX = 4, SIX_BLOCKS_MAX = 5 };

/* Of a volume, a snapshot. What an account encrypts unasked, a listing tells. */
enum encryption { NOT_KNOWN_YET, PLAIN, ENCRYPTED };

struct thing {
	enum kind kind;
	unsigned account;
	enum life life;
	char id[EC2_ID_TEXT_SIZE]; /* EC2's, or the UUID where it has none; empty: a listing will tell */
	uuid uuid;                 /* none: as far as the id says */
	char name[64], association[40];
	char acl_association[40]; /* of a subnet; empty: not known, or none */
	struct {
		char key[8], value[8];
	} tags[TAGS_MAX];
	size_t tag_count;
	struct thing *of; /* what it is a part of: a subnet's VPC, an instance's subnet, a rule's group */
	struct thing
		*to; /* what it leads to: a gateway's VPC, a subnet's route table; the instance it is in */
	struct thing *ip;      /* of an address: the secondary one that it stands for; NULL: the primary */
	struct thing *left;    /* the instance that it is on its way out of, perhaps out already */
	struct thing *subnet;  /* of an interface that is no part of an instance */
	struct thing *network; /* of a subnet */
	struct thing *peer;    /* of a peering: the VPC that is asked */
	struct thing *acl;     /* of a subnet; NULL: its VPC's default one */
	bool is_neutrons;      /* a subnet that keeps back no addresses as EC2's do */
	bool is_default;       /* VPC, subnet, group; a route table: the main one */
	struct cidr block;
	int64_t port;      /* of a rule; -1: all; of an entry of a network ACL: its number */
	int64_t gibibytes; /* of a volume, a snapshot, an image's device; 0: not known yet */
	enum encryption encryption;
	bool is_shared;        /* of a volume: several instances may have it */
	bool is_complete;      /* a snapshot or an image that was seen so */
	bool has_failed;       /* a NAT gateway that never was, a peering likewise, or rejected */
	bool is_accepted;      /* a peering */
	int64_t deprecated_us; /* an image; 0: it never is */
	bool has_address;      /* a gateway that Neutron has set: it goes when it is cleared */
	bool is_ipv6;          /* a rule by membership that EC2 does not show */
	bool is_bound;         /* a snapshot that goes with the last image that has it */
	bool is_spare;         /* a volume that its instance starts from in rescue */
	bool is_public;        /* a subnet whose instances get public addresses; an instance that was one's;
				* a snapshot that all may restore */
	size_t offers,
		offers_done; /* of a snapshot: requests that it be public or not; those that succeeded */
	bool has_names;      /* a VPC whose instances have names */
	bool is_alone;       /* a dedicated VPC; an instance that was launched into one */
	struct thing *told;  /* its DHCP options set, or NULL */
	struct {
		struct cidr block;
		char association[40];
	} more[MORE_BLOCKS_MAX]; /* further blocks of a VPC */
	size_t more_count;
	struct {
		struct cidr block;
		char association[40];
	} six[SIX_BLOCKS_MAX]; /* its blocks of IPv6 */
	size_t six_count;
	struct thing *six_in; /* of an interface: in which subnet it was given an IPv6 address; or NULL */
	struct ip six_ip;     /* none: not known */
	char description[8];
	bool egress;
	const struct request *origin; /* the first request with the client token that made it, or NULL */
	struct thing *group;          /* of an instance or an interface */
	struct thing *near;           /* the placement group of an instance, or NULL */
	/* of an image: */
	bool is_empty, is_private; /* without data; shared with those alone that are named; a flavor, too */
	bool is_disabled;
	unsigned labels; /* bits: Glance's tags */
	unsigned members,
		accepted; /* bits: accounts that it is shared with, and those that have it in their lists */
	/* of an instance: */
	char server[16]; /* its name in Nova; empty: EC2's, its id */
	bool wanted_on, seen_stopped;
	bool is_paused, is_saved, is_rescued, is_shelved, is_resized; /* as asked for last */
	bool was_saved;  /* turned on from its memory since it was last at rest */
	bool was_paused; /* with a pause on its way that may be over */
	bool is_other_size;
	bool is_moved;               /* asked for one of these once: on its way it is shown in many words */
	bool is_at_rest;             /* as it was when all was settled */
	bool may_vary;               /* whether its memory is kept, a listing will tell */
	struct thing *shelved_image; /* the image that goes when it comes back, or NULL */
	bool is_restless;            /* its guest may have shut itself down */
	bool is_drained;             /* a maintenance of its host may have stopped it */
	bool ends_itself;            /* which terminates it */
	bool may_not_end, may_not_stop; /* when its user asks */
	bool has_lost_port;             /* that came with it */
	bool may_lack_host;             /* accepted, perhaps without one */
	bool is_hosted;                 /* on a dedicated host */
	/* Of what Azure's users made: */
	char arm[32];       /* its name; empty: others made it, and Azure calls it by its id */
	struct thing *area; /* its resource group; NULL: dari-default */
	bool is_guarded;    /* an address of the SKU Standard */
	bool is_anyones;    /* an interface whose group nobody has said */
	bool is_virtual;    /* a virtual network */
};

struct model {
	struct thing things[THINGS_MAX];
	size_t count;
};

/* id: EC2's, a UUID, or empty while it is not known. */
struct thing *model_add(struct model *m, enum kind kind, unsigned account, struct thing *of, struct str id);
void model_name(struct thing *t, struct str id);
/* Whether the text, EC2's id or a UUID, is the thing's; of NULL: whether it is empty. */
bool model_is_id(struct str id, const struct thing *t);
/* Of that group the model knows nothing: it is the open one that machines have behind a firewall, in any account. */
bool model_is_strange_group(struct model *m, struct str group);
/* Of what is made of that: plain bytes may be encrypted on the way, and not the other way round. */
enum encryption model_encryption_of(const struct thing *source);
/* Those of a kind that are not gone: NULL begins, NULL ends. */
struct thing *model_next(struct model *m, enum kind kind, const struct thing *after);
#define EACH(m, t, kind) for (struct thing *t = NULL; (t = model_next((m), (kind), t));)
/* Ends it with its parts. An ending instance's parts are ending, too. */
void model_end(struct model *m, struct thing *t, enum life life);
void model_end_image(struct model *m, struct thing *image); /* with what was made for it alone */
/* It is ending, or its guest may have ended it. Parts go with their instance. */
bool model_may_have_ended(const struct thing *t);
/* A live instance that is wanted on, without its user's doing. */
bool model_may_be_off(const struct thing *instance);
/* An interface that is on its end has its secondary addresses as long as it is there. */
bool model_ends_with_port(const struct thing *ip);
/* A volume that came with its instance and is not on its way out; its device, empty: the root's. */
bool model_is_disk_of(const struct thing *volume, const struct thing *instance);
const char *model_device(const struct thing *volume);
struct thing *model_root(struct model *m, const struct thing *instance);           /* or NULL */
struct thing *model_part(struct model *m, enum kind kind, const struct thing *of); /* the first, or NULL */
const struct thing *model_subnet(const struct thing *port);
struct thing *model_vpc(struct thing *t);
struct thing *model_gateway(struct model *m, const struct thing *vpc);
struct thing *model_default_vpc(struct model *m, unsigned account);
/* A port's in that subnet: its VPC's, or its account's. */
struct thing *model_default_group(struct model *m, const struct thing *subnet);
bool model_group_fits(struct model *m, const struct thing *group, const struct thing *subnet);
/* Of the group with a VPC that is not its own, or NULL. */
struct thing *model_group_association(struct model *m, const struct thing *group, const struct thing *vpc);
/* Groups of other VPCs are associated with it. */
bool model_has_associations(struct model *m, const struct thing *vpc);
bool model_has_block(const struct thing *vpc, struct cidr part); /* one that holds the part */
bool model_is_of_blocks(const struct thing *subnet);             /* of its VPC */
/* To EC2 a subnet by itself, as no one of IPv4 is beside it; and one of EC2's on the network is such. */
bool model_is_ipv6_alone(const struct model *m, const struct thing *subnet);
bool model_has_ipv6_alone(const struct model *m, const struct thing *network);
bool model_holds_peering(struct model *m, const struct thing *vpc); /* an accepted one */
struct thing *model_route(struct model *m, const struct thing *table, struct cidr block);
/* Of a network ACL; NULL: there is none. */
struct thing *model_acl_entry(struct model *m, const struct thing *acl, bool egress, int64_t number);
struct thing *model_rule(struct model *m, const struct thing *group, bool egress, int64_t port,
			 struct cidr block, const struct thing *peer);
/* A VPC with all that comes with it; with_subnet: as an account's first one. */
struct thing *model_add_vpc(struct model *m, unsigned account, struct cidr block, bool with_subnet);
/* vpc NULL: none yet. network NULL: one of its own, that goes with it. */
struct thing *model_add_subnet(struct model *m, unsigned account, struct thing *vpc, struct thing *network,
			       struct str id);
/* vpc NULL: of the account alone. */
struct thing *model_add_group(struct model *m, unsigned account, struct thing *vpc, struct str name,
			      struct str id);
/* With no instance in it any more. */
void model_end_server_group(struct model *m, struct thing *group);
/* By a router's default list and group, where IPv4 is let through. */
void model_let_ipv6_through(struct model *m, struct thing *router);
/* Besides what it was given an interface has an address of the subnet, which its guest makes itself. */
bool model_has_own_ipv6(const struct thing *port, const struct thing *subnet);
/* Without blocks, as Neutron makes it. */
struct thing *model_add_router(struct model *m, unsigned account, struct str id);

/* ---- request.c ---- */

struct operation;

/* A call: what was drawn for it, and its way through the face. */
struct request {
	struct simulation *s;
	const struct operation *operation;
	unsigned account;
	uint64_t serial;
	char text[TEXT_MAX]; /* the form, without Action; the members of a body */
	char path[512];      /* of OpenStack's calls and Azure's: "METHOD /path" */
	unsigned path_refs;  /* bits: those of the refs that the path names */
	size_t size;
	struct thing *refs[REFS_MAX]; /* what the parameters name: those of the row first */
	size_t ref_count;
	char name[EC2_ID_TEXT_SIZE];
	struct cidr block;
	int64_t count, port;
	bool flag, is_dry, in_storm;
	bool is_hosted; /* a launch onto a dedicated host */
	bool is_hand;   /* the account's second user sends it */
	/* Of Azure's: */
	char arm[32];         /* what a PUT makes or changes; empty: the first ref is what the path names */
	struct thing *area;   /* in which group; NULL: dari-default */
	struct thing *target; /* what had that name when it was sent, or NULL */
	enum kind makes;      /* what of otherwise */
	struct str body;      /* instead of the text, which is shorter */
	struct {
		char key[8], value[8];
	} tag;
	struct request *origin; /* the first one with its client token */
	bool has_succeeded;     /* of an origin: some request with the token has */
	struct fake_call http;
	bool is_open;
	/* What was right while it waited: request_judge_open(). */
	const char *past_codes[4 * CODES_MAX];
	size_t past_count;
	bool might_succeed;
};

/* Which answers are right. With a refusal, success is none. */
struct verdict {
	const char *refusals[CODES_MAX], *doubts[CODES_MAX];
	size_t refusal_count, doubt_count;
};
void refuse(struct verdict *v, const char *code); /* a rule forbids it */
void doubt(struct verdict *v, const char *code);  /* it may, depending on what is not seen yet */
void refuse_or_doubt(struct verdict *v, bool is_sure, const char *code);

/* OpenStack's are "METHOD /service/path/{parameter}": what the path does not name is in the body. Their
 * codes are statuses, Neutron's with the type behind: "409 SubnetInUse". Azure's are "METHOD type[/verb]":
 * a ref whose parameter is empty is what the path names, and the body is text. Their codes are Azure's. */
struct operation {
	const char *action;
	unsigned weight;
	struct {
		const char *parameter;
		enum kind kind;
	} refs[3];
	const char *item;                /* what TagSpecification may name; the body's member; NULL: none */
	bool (*draw)(struct request *x); /* further parameters; false: nothing to draw from */
	void (*judge)(const struct request *x, struct verdict *v); /* the refs are the account's and there */
	void (*apply)(struct request *x, struct str answer);       /* it succeeded */
	bool takes_shared;                                         /* what is shared with the account, too */
	bool is_operators;                                         /* the administrator sends it */
};

struct operations {
	const struct operation *at;
	size_t count;
};
extern const struct operations neutron_operations, network_operations, route_operations, acl_operations,
	address_operations, group_operations, instance_operations, attach_operations, setting_operations,
	image_operations, other_operations, nova_operations, server_operations, glance_operations,
	operator_operations, peering_operations, oidc_operations, ipv6_operations, azure_operations,
	azure_network_operations, azure_machine_operations;

/* ---- operations_ipv6.c ---- */

/* The IPv6 address that the port was given, as "fixed_ips" tells. */
void ipv6_take(struct simulation *s, struct thing *port, struct str fixed_ips);

/* ---- operations_image.c ---- */

void image_judge_cut(const struct request *x, const struct thing *volume, struct verdict *v);
void image_judge_completed(const struct request *x, const struct thing *snapshot, struct verdict *v);
/* volume NULL: a copy. */
struct thing *image_add_snapshot(struct request *x, struct thing *volume, struct str id);
void image_add_device(struct request *x, struct thing *image, const char *name, struct thing *snapshot,
		      int64_t gibibytes);
void image_judge_delete_snapshot(const struct request *x, struct verdict *v);

/* ---- operations_attach.c, operations_instance.c ---- */

void attach_judge_free(const struct thing *t, struct verdict *v, const char *code);
bool attach_may_let_go(const struct thing *t);
void attach_judge_holder(const struct request *x, struct verdict *v);
void attach_judge_delete_volume(const struct request *x, struct verdict *v);
void attach_judge_modify_volume(const struct request *x, struct verdict *v);
void attach_apply_ending(struct request *x, struct str answer);
void instance_add_volumes(struct request *x, struct thing *instance);
void instance_judge_start(const struct request *x, struct verdict *v);
void instance_apply_start(struct request *x, struct str answer);
void instance_judge_stop(const struct request *x, struct verdict *v);
void instance_apply_stop(struct request *x, struct str answer);
void instance_judge_reboot(const struct request *x, struct verdict *v);
void instance_apply_reboot(struct request *x, struct str answer);
void instance_judge_terminate(const struct request *x, struct verdict *v);
void instance_apply_terminate(struct request *x, struct str answer);
void address_judge_allocate(const struct request *x, struct verdict *v);
void address_judge_release(const struct request *x, struct verdict *v);

/* ---- operations_network.c, operations_neutron.c ---- */

void network_judge_delete_subnet(const struct request *x, struct verdict *v);
void network_apply_delete_subnet(struct request *x, struct str answer);
void neutron_set_gateway(struct request *x, struct thing *router);
void neutron_clear_gateway(struct request *x, struct thing *router);

/* ---- operations_server.c ---- */

/* It is as asked for, and nothing has happened to it since: what it may be asked next is certain. */
bool server_is_at_rest(const struct request *x, const struct thing *t);
/* No other call that names it is on its way: which disks it has is certain. */
bool server_is_alone(const struct request *x, const struct thing *t);
void server_move(struct thing *t); /* it is on its way from now on */
void server_end(struct simulation *s, struct thing *t);
void server_turn_on(struct simulation *s, struct thing *t);
/* Unless it is on. One whose guest shut itself down was perhaps off already: then its pause is over. */
void server_start(struct simulation *s, struct thing *t);

bool request_is_openstack(const struct request *x);
bool request_is_azure(const struct request *x);
/* IAM's calls say their version among the parameters. They are sent by the account's owner. */
#define IAM_VERSION "2010-05-08"
bool request_is_iam(const struct request *x);
bool request_is_cloudstack(const struct request *x);
/* The id of what was made, as the answer of the face has it. */
struct str request_made(const struct request *x, struct str answer, const char *ec2, const char *openstack);
/* The word of the face that is called. */
const char *request_word(const struct request *x, const char *ec2, const char *openstack);
/* A parameter, or a member of the body as it is written in JSON. */
void request_add(struct request *x, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Names a thing of the kind, mostly one of the account's that is there; NULL: there is none. */
struct thing *request_ref(struct request *x, const char *name, enum kind kind);
/* Names that one; request_find_ref: the first of the kind that is named, or NULL. */
void request_name(struct request *x, const char *name, struct thing *t);
struct thing *request_find_ref(const struct request *x, enum kind kind);
/* The same request of this operation once more, as a client does that got no answer; false: there is none. */
bool request_draw_again(struct request *x);
void request_draw_token(struct request *x);                    /* so that it may be sent again; or none */
bool request_is_repeated(const struct request *x);             /* one with its token has succeeded */
void request_check_repeated(struct request *x, struct str id); /* it made what bears the id */
void request_apply_tag(struct request *x, struct thing *t);    /* likewise: the drawn tag is its */
void request_apply_end(struct request *x, struct str answer);  /* for rows: the first ref is gone */
/* What this history is about, if about anything: one table's calls come more often. */
void request_draw_theme(struct simulation *s);
bool request_draw(struct request *x);
void request_send(struct request *x);
bool request_is_woken(const struct request *x);
void request_resume(struct request *x); /* a woken one: answered and judged, as a rule */
/* Before the model changes: a call takes effect at some moment between its sending and its answer, so what is right
 * now stays right for those that wait. but: the one whose effect it is; NULL: none's. */
void request_judge_open(struct simulation *s, const struct request *but);
void request_mark_open(struct simulation *s); /* something fails that those on their way may meet */
void request_drop(struct request *x);         /* its process is dead */
/* A call outside the model, at once: a form or "GET /path". What is in the answer lies in the region's
 * arena. */
struct str request_get_answer(struct simulation *s, unsigned account, const char *form);
/* A call outside the model, with whatever comes of it, while nobody else calls: "METHOD /path". Of CloudStack's answers
 * what is in the response. */
struct str request_call_through(struct simulation *s, unsigned account, struct str line, struct str body,
				int *ret_status);
/* Whether a person's token for an account is good for a look at its servers. */
bool request_is_let_in(struct simulation *s, uuid person, unsigned account);

/* ---- request_azure.c ---- */

#define AZURE_LOCATION "\"location\": \"xywest2\""
/* In the arena: what Azure calls it within its group, and in full. */
struct str azure_name(const struct simulation *s, const struct thing *t);
struct str azure_id(const struct simulation *s, const struct thing *t);
/* "/subscriptions/…", which the query of the version follows, for a call outside the model. */
struct str azure_line(const struct simulation *s, unsigned account, const char *method, const char *rest,
		      const char *version);
/* Adds to the body. */
void azure_say(struct request *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Names what the path is about. */
void azure_name_target(struct request *x, struct thing *t);
/* What a PUT makes or changes: a name in one of the account's groups, or one that something of the kind has. */
bool azure_draw_target(struct request *x, enum kind kind, const char *letter);
/* The drawn name is that of what was made. */
void azure_take_name(struct request *x, struct thing *t);
/* {"k1": "v5"}, which takes the place of all; or nothing. */
void azure_draw_tags(struct request *x);
void azure_apply_tags(struct request *x, struct thing *t);
bool azure_can_be_sent(const struct request *x); /* what it names is told apart from what came later */
void azure_judge(const struct request *x, struct verdict *v); /* what it names */
void azure_check_status(const struct request *x);             /* of an answer that is right otherwise */
/* EC2's codes, by which the calls of several faces are judged, become Azure's. */
void azure_translate(struct verdict *v);
/* As start_openstack() in request.c. */
void azure_start(struct simulation *s, const struct world_user *user, struct str line, struct str body,
		 struct fake_call *http);
/* The resource as it is shown, in JSON. */
struct str azure_read(struct simulation *s, const struct thing *t, int *ret_status);
/* Clients send back what they have read, which changes nothing: for a row's first ref. */
bool azure_draw_back(struct request *x);

/* ---- listings.c, listings_*.c ---- */

struct look {
	struct simulation *s;
	unsigned account;
	bool is_settled;
};

struct listing {
	enum kind kind;
	const char *action; /* a form, or "GET /path" */
	const char *set, *id;
	const char *inner; /* a set within each item; NULL: none */
	const char *not_found;
	/* Words for what is different, or NULL. */
	const char *(*differ)(const struct look *l, struct thing *t, struct str item);
	bool (*shows)(const struct model *m, const struct thing *t); /* NULL: all of the account's */
	/* Over what is no such thing, or another account's and shared; NULL: over nothing. */
	bool (*passes)(const struct look *l, struct str item);
	bool is_operators; /* the administrator looks */
	bool (*is)(const struct look *l, const struct thing *t, struct str item); /* instead of the id */
};
struct listings {
	const struct listing *at;
	size_t count;
};
extern const struct listings ec2_listings, openstack_listings, cloudstack_listings, azure_listings,
	operator_listings;

/* Every account's listings against the model, which learns what was only to be guessed. settled: all
 * that was on its way has arrived. */
void listings_compare(struct simulation *s, bool is_settled);
/* All that every account sees, as text. */
struct str listings_read(struct simulation *s);
struct str listings_not_found(enum kind kind, bool of_openstack); /* the code of its absence */

/* ---- happenings.c ---- */

void happen(struct simulation *s);     /* something */
void make_whole(struct simulation *s); /* all faults are over */
void kill_and_restart(struct simulation *s);

/* ---- maintenance.c ---- */

void maintain_host(struct simulation *s);     /* some host has one ahead, or it is over */
void maintain_in_peace(struct simulation *s); /* with nothing else going on */
void maintain_by_moving(struct simulation *s);

/* ---- fences.c ---- */

void shake_power(struct simulation *s);
void fence_in_peace(struct simulation *s);    /* likewise */
void fences_end_all(struct simulation *s);    /* all hosts have power, and are reached */
void fences_check(struct simulation *s);      /* at any time: nothing runs twice */
void fences_check_over(struct simulation *s); /* settled, with all hosts well: no fence is left */
void maintenance_end_all(struct simulation *s);
void maintenance_check(struct simulation *s); /* when all is settled: nothing of any is left */

/* ---- errands.c ---- */

/* What an account does through CloudStack with nothing else going on: what only that face has. */
void errand_destroy(struct simulation *s); /* and recovers, or expunges */
void errand_forward(struct simulation *s); /* a port of an address, until one of both ends goes */
void errand_network(struct simulation *s); /* isolated, or a VPC with a tier: until it is torn down */
void errand_assign(struct simulation *s);  /* to another account */
void errand_plan(struct simulation *s);    /* a snapshot policy */
void errand_share(struct simulation *s);   /* a volume, with a second instance */
void errands_check(struct simulation *s);  /* when all is settled: what holds over all faces */

/* ---- errands_azure.c ---- */

void errand_group(struct simulation *s); /* made, and deleted with all that is in it */
void errand_lock(struct simulation *s);  /* which holds in every face */

/* ---- errands_deployment.c ---- */

void errand_deployment(
	struct simulation *s); /* of a small template, again and again; wherever the process dies */

/* ---- contents.c ---- */

struct writing {
	uuid volume;
	int64_t us;
};
void contents_write(struct simulation *s); /* some guest does */
void contents_check(struct simulation *s); /* when all is settled */

/* ---- policies.c ---- */

void policies_add_hand(struct region *r, unsigned account);
void policies_change(struct simulation *s);      /* while no call is on its way */
bool policies_is_about(const struct request *x); /* its kind of call is one that is denied */
void policies_judge(const struct request *x, struct verdict *v);

/* ---- history.c ---- */

struct simulation {
	uint64_t seed;
	bool is_told; /* print each event */
	struct region region;
	struct model model;
	struct request clients[CLIENTS];
	const struct operations *theme;    /* NULL: none */
	bool is_cloudstacks, is_azures;    /* its calls come more often, too */
	struct request tokens[TOKENS_MAX]; /* requests that may be sent again */
	size_t token_count;
	uint64_t serial;
	unsigned denied[ACCOUNTS]; /* what policies.c denies each second user; 0: nothing */
	struct writing writings[WRITINGS_MAX];
	size_t writing_count;
	bool hosts_shaken;  /* since all was settled last */
	bool hosts_divided; /* some have instances that share with no other account's: others may lack room */
	bool is_draining;   /* since then some host had a maintenance that stops what is there */
	bool is_doomed;     /* the next commit ends the process */
};

/* Runs one; ends the process with 1 when something is wrong. */
void history_run(struct simulation *s);
void resume_all(struct simulation *s); /* the woken calls, as they were committed */
void settle_and_compare(struct simulation *s);
void tell(struct simulation *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void blame(struct simulation *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
