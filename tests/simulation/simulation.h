/* SPDX-License-Identifier: Apache-2.0
 * The simulation: a whole region in one thread. Clients of several accounts call its EC2, OpenStack,
 * CloudStack and Azure APIs, while hosts, network, database and process fail, all determined by one seed.
 * A model of what each account must see is updated in parallel, and compared with the listings of every
 * API.
 *   main.c               seeds, processes, output
 *   history.c            one history: the order of events, and the checks at the end
 *   happenings.c         faults and other random events
 *   maintenance.c        maintenances of hosts
 *   fences.c             hosts without power or connection, and fences
 *   contents.c           data written by guests, and its state in snapshots
 *   request.c            a call: drawing, sending, answer, judgement
 *   request_azure.c      additions for Azure: names in groups, paths, tokens, codes
 *   operations_*.c       one row per action: weight, parameters, effect on the model
 *   model.c, listings*.c the model, and its comparison with listings
 *   errands.c            CloudStack's own features: whole sequences with no other calls open
 *   errands_azure.c      likewise for Azure
 *   errands_deployment.c deployments of Azure's templates
 *   policies.c           actions denied to the accounts' second users
 *   bills.c              a second computation of bills
 *   region.c             the region
 *   answer.c             reading XML and JSON
 * To add an action, add a row in operations_*.c; to add a kind, a row in listings_*.c. */
#pragma once

#include "../unit/api/world.h"
#include "../unit/cloud/cloud.h"
#include "answer.h"
#include "base/random.h"

enum {
	ACCOUNTS = 3,
	ADMIN = ACCOUNTS, /* index of the administrator's account */
	HOSTS = 3,
	CLIENTS = 9,
	THINGS_MAX = 4096,
	TAGS_MAX = 8,
	REFS_MAX = 6,
	TEXT_MAX = 1024,
	TOKENS_MAX = 128,
	CODES_MAX = 16,
	WRITINGS_MAX = 4096,
	IMAGE_GIBIBYTES = 2 /* size of cloud.h's image */
};

/* Quotas of each account, low enough to be reached. */
enum { LIMIT_INSTANCES = 6, LIMIT_ADDRESSES = 3, LIMIT_ROUTERS = 3, LIMIT_GROUPS = 7 };

/* ---- bills.c ---- */

enum { BILLS_CHAINS = 256 };
struct bills {
	struct arena *arena; /* lives as long as the cloud */
	struct meter *meters[BILLS_CHAINS];
	int64_t counted_s; /* counted until this second */
	char strange[160]; /* a charge that was not expected; empty: none */
};
void bills_open(struct bills *b, struct cloud *c);
void bills_listen(struct bills *b, struct cloud *c); /* to events of a new process */
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
	struct api_face *iam; /* IAM */
	struct api_face *openstack;
	struct api_face *cloudstack;
	struct api_face *azure;
	struct api_face *elb, *elb_classic, *autoscaling;
	bool deploys;    /* somebody executes deployments of Azure's API */
	unsigned faults; /* armed fault points, suspended except in region_step() */
	const uint8_t *master_key;
	struct world_user users[ACCOUNTS + 1];
	struct world_user hands[ACCOUNTS]; /* second users, restricted by policies */
	struct str image_id;
	/* CloudStack's ids for commands: of the zone, the template, t3.micro and gp3. */
	char zone[UUID_TEXT_SIZE], template[UUID_TEXT_SIZE], offering[UUID_TEXT_SIZE],
		disk_offering[UUID_TEXT_SIZE];
};

void region_open(struct region *r, uint64_t seed);
/* The API that the call belongs to. */
struct api_face *region_face_for(const struct region *r, const struct call *call);
/* The region's next piece of work, up to that time; false: there is none. Armed faults hit only what runs here:
 * the test's own work between two steps must not fail. */
bool region_step(struct region *r, int64_t until_us);
/* Arms faults for the next steps, as in base/fault.h; next 0: no second one. */
void region_arm(struct region *r, unsigned points, uint64_t n, bool forever, unsigned next, uint64_t next_n);
void region_disarm(struct region *r);
void region_kill(struct region *r);    /* like kill -9 */
void region_restart(struct region *r); /* after a kill, or with an orderly end before */
/* UUID of the row with this EC2 id, or none. */
uuid region_find(struct region *r, enum kind kind, const char *id);

/* ---- model.c ---- */

struct request;
struct simulation;

enum life {
	LIVE,
	ENDING, /* it will end for certain, but may or may not still be listed */
	GONE
};

enum { MORE_BLOCKS_MAX = 4, SIX_BLOCKS_MAX = 5 };

/* Encryption of a volume or snapshot. If an account encrypts by default, only a listing shows the result. */
enum encryption { NOT_KNOWN_YET, PLAIN, ENCRYPTED };

struct thing {
	enum kind kind;
	unsigned account;
	enum life life;
	char id[EC2_ID_TEXT_SIZE]; /* EC2's id, or the UUID for kinds without one; empty until a listing shows it */
	uuid uuid;                 /* none until known completely: an EC2 id contains only a part */
	char name[64], association[40];
	char acl_association[40]; /* a subnet's; empty: none, or not known */
	struct {
		char key[8], value[8];
	} tags[TAGS_MAX];
	size_t tag_count;
	struct thing *of; /* container: a subnet's VPC, an instance's subnet, a rule's group */
	struct thing
		*to; /* target: a gateway's VPC, a subnet's route table; or the instance it is attached to */
	struct thing *ip;      /* an address's secondary private IP; NULL: the primary one */
	struct thing *left;    /* the instance that it is being detached from; may have left it already */
	struct thing *subnet;  /* an interface's, unless it was created with an instance */
	struct thing *network; /* a subnet's */
	struct thing *peer;    /* a peering's accepter VPC */
	struct thing *acl;     /* a subnet's; NULL: its VPC's default */
	bool is_neutrons;      /* a subnet of Neutron's, which lacks EC2's reserved addresses */
	bool is_default;       /* a default VPC, subnet or group; a main route table */
	struct cidr block;
	int64_t port;      /* a rule's port, -1: all; or the number of a network ACL's entry */
	int64_t gibibytes; /* size of a volume, a snapshot or an image's device; 0: not known yet */
	enum encryption encryption;
	bool is_shared;        /* a multi-attach volume */
	bool is_complete;      /* a snapshot, image or volume that was listed as complete */
	bool has_failed;       /* a NAT gateway that failed, or a peering that failed or was rejected */
	bool is_accepted;      /* a peering's */
	int64_t deprecated_us; /* an image's time of deprecation; 0: none */
	bool has_address; /* a gateway set by Neutron, which is deleted when the router's gateway is cleared */
	bool is_ipv6;     /* a rule with a remote group for IPv6, which EC2 does not show */
	bool is_bound;    /* a snapshot that is deleted with the last image that uses it */
	bool is_spare;    /* the volume that a rescued instance boots from */
	bool is_public;   /* a subnet whose instances get public addresses, or such an instance;
			* a snapshot that everybody may restore */
	size_t offers,
		offers_done; /* requests to make a snapshot public or private, and the successful ones among them */
	bool has_names;     /* a VPC with DNS hostnames */
	bool is_alone;      /* a VPC with dedicated tenancy, or an instance launched into one */
	struct thing *told; /* a VPC's DHCP options set, or NULL */
	struct {
		struct cidr block;
		char association[40];
	} more[MORE_BLOCKS_MAX]; /* a VPC's further IPv4 blocks */
	size_t more_count;
	struct {
		struct cidr block;
		char association[40];
	} six[SIX_BLOCKS_MAX]; /* IPv6 blocks */
	size_t six_count;
	struct thing *six_in; /* the subnet from which an interface got an IPv6 address, or NULL */
	struct ip six_ip;     /* none: not known */
	char description[8];
	bool egress;
	const struct request *origin; /* the first request with the client token of its creation, or NULL */
	struct thing *group;          /* an instance's or an interface's security group */
	struct thing *near;           /* an instance's placement group, or NULL */
	/* Images: */
	bool is_empty,
		is_private; /* without data; visible only to the accounts it is shared with, which applies to flavors, too */
	bool is_disabled;
	unsigned labels;            /* a bit for each of Glance's tags */
	unsigned members, accepted; /* a bit per account: those it is shared with, and those that accepted */
	/* Instances: */
	char server[16]; /* name in Nova; empty: EC2's, its id */
	bool wanted_on, seen_stopped;
	bool is_paused, is_saved, is_rescued, is_shelved, is_resized; /* the state last requested */
	bool was_saved;  /* resumed from saved memory since it was last at rest */
	bool was_paused; /* a pause was requested and may have ended */
	bool is_other_size;
	bool is_moved; /* asked for one of these operations once: in progress it has several possible states */
	bool is_at_rest;                /* unchanged since everything was settled */
	bool may_vary;                  /* the next listing shows whether its memory is saved */
	struct thing *shelved_image;    /* image that is deleted when it is unshelved, or NULL */
	bool is_restless;               /* its guest may have shut down by itself */
	bool is_drained;                /* a maintenance of its host may have stopped it */
	bool ends_itself;               /* a shutdown by its guest terminates it */
	bool may_not_end, may_not_stop; /* protected against users' requests */
	bool has_lost_port;             /* the port created with it is gone */
	bool may_lack_host;             /* accepted, perhaps without a host */
	bool is_hosted;                 /* on a dedicated host */
	/* Resources of Azure's API: */
	char arm[32];       /* name; empty: created by another API, and named by its id */
	struct thing *area; /* resource group; NULL: dari-default */
	bool is_guarded;    /* an address of the SKU Standard */
	bool is_anyones;    /* an interface whose group was not named in a request */
	bool is_virtual;    /* a virtual network */
};

struct model {
	struct thing things[THINGS_MAX];
	size_t count;
};

/* id: EC2's, a UUID, or empty until known. */
struct thing *model_add(struct model *m, enum kind kind, unsigned account, struct thing *of, struct str id);
void model_name(struct thing *t, struct str id);
/* True if the text is the thing's EC2 id or UUID; if t is NULL, true if it is empty. */
bool model_is_id(struct str id, const struct thing *t);
/* True if the group is not in the model: every account has an allow-all group for instances behind a
 * firewall. */
bool model_is_strange_group(struct model *m, struct str group);
/* Encryption of what is made from the source: a copy of plain data may be encrypted, but not the reverse. */
enum encryption model_encryption_of(const struct thing *source);
/* The next of the kind's things that are not gone. NULL begins and ends. */
struct thing *model_next(struct model *m, enum kind kind, const struct thing *after);
#define EACH(m, t, kind) for (struct thing *t = NULL; (t = model_next((m), (kind), t));)
/* Ends a thing with its parts. An ending instance's parts are ending, too. */
void model_end(struct model *m, struct thing *t, enum life life);
void model_end_image(struct model *m, struct thing *image); /* with the snapshots bound to it */
/* True if it is ending, or its guest may have ended it. Parts end with their instance. */
bool model_may_have_ended(const struct thing *t);
/* True if a live instance that is wanted on may be off without its user's request. */
bool model_may_be_off(const struct thing *instance);
/* True if a secondary address ends with its port, and exists as long as the port does. */
bool model_ends_with_port(const struct thing *ip);
/* True if a live volume was created with the instance or is attached to it; its device, empty: the root's. */
bool model_is_disk_of(const struct thing *volume, const struct thing *instance);
const char *model_device(const struct thing *volume);
struct thing *model_root(struct model *m, const struct thing *instance);           /* or NULL */
struct thing *model_part(struct model *m, enum kind kind, const struct thing *of); /* the first, or NULL */
const struct thing *model_subnet(const struct thing *port);
struct thing *model_vpc(struct thing *t);
struct thing *model_gateway(struct model *m, const struct thing *vpc);
struct thing *model_default_vpc(struct model *m, unsigned account);
/* The default group of ports in the subnet: its VPC's, or its account's. */
struct thing *model_default_group(struct model *m, const struct thing *subnet);
bool model_group_fits(struct model *m, const struct thing *group, const struct thing *subnet);
/* The group's association with a VPC other than its own, or NULL. */
struct thing *model_group_association(struct model *m, const struct thing *group, const struct thing *vpc);
/* True if groups of other VPCs are associated with this VPC. */
bool model_has_associations(struct model *m, const struct thing *vpc);
bool model_has_block(const struct thing *vpc, struct cidr part); /* as a whole within one of its blocks */
bool model_is_of_blocks(const struct thing *subnet);             /* its block is within its VPC's blocks */
/* True if EC2 shows the subnet as IPv6-only, because its network has no IPv4 subnet. */
bool model_is_ipv6_alone(const struct model *m, const struct thing *subnet);
/* True if the network has such a subnet that is EC2's. */
bool model_has_ipv6_alone(const struct model *m, const struct thing *network);
bool model_holds_peering(struct model *m, const struct thing *vpc); /* an accepted one */
struct thing *model_route(struct model *m, const struct thing *table, struct cidr block);
/* The entry of a network ACL; NULL if there is none. */
struct thing *model_acl_entry(struct model *m, const struct thing *acl, bool egress, int64_t number);
struct thing *model_rule(struct model *m, const struct thing *group, bool egress, int64_t port,
			 struct cidr block, const struct thing *peer);
/* Adds a VPC with its default resources; with_subnet: like an account's first VPC. */
struct thing *model_add_vpc(struct model *m, unsigned account, struct cidr block, bool with_subnet);
/* vpc NULL: not yet in one. network NULL: its own, deleted with it. */
struct thing *model_add_subnet(struct model *m, unsigned account, struct thing *vpc, struct thing *network,
			       struct str id);
/* vpc NULL: the account's, in no VPC. */
struct thing *model_add_group(struct model *m, unsigned account, struct thing *vpc, struct str name,
			      struct str id);
/* Ends a server group without instances. */
void model_end_server_group(struct model *m, struct thing *group);
/* Adds IPv6 rules to a router's default ACL and group if they allow IPv4. */
void model_let_ipv6_through(struct model *m, struct thing *router);
/* True if the interface also has an address that its guest forms itself from the subnet's prefix. */
bool model_has_own_ipv6(const struct thing *port, const struct thing *subnet);
/* Adds a router like Neutron does, without blocks. */
struct thing *model_add_router(struct model *m, unsigned account, struct str id);

/* ---- request.c ---- */

struct operation;

/* A call: its drawn parameters and its processing by the API. */
struct request {
	struct simulation *s;
	const struct operation *operation;
	unsigned account;
	uint64_t serial;
	char text[TEXT_MAX]; /* form parameters without Action, or the members of a JSON body */
	char path[512];      /* for OpenStack's and Azure's calls: "METHOD /path" */
	unsigned path_refs;  /* a bit for each of the refs that is in the path */
	size_t size;
	struct thing *refs[REFS_MAX]; /* resources in the parameters, those of the operation's row first */
	size_t ref_count;
	char name[EC2_ID_TEXT_SIZE];
	struct cidr block;
	int64_t count, port;
	bool flag, is_dry, in_storm;
	bool is_hosted; /* a launch onto a dedicated host */
	bool is_hand;   /* sent by the account's second user */
	/* Azure's calls: */
	char arm[32];         /* name for a PUT; empty: the path names the first ref */
	struct thing *area;   /* resource group; NULL: dari-default */
	struct thing *target; /* the resource with that name at the time of sending, or NULL */
	enum kind makes;      /* the kind to create if there is none */
	struct str body;      /* used instead of text, which is too short */
	struct {
		char key[8], value[8];
	} tag;
	struct request *origin; /* the first request with the same client token */
	bool has_succeeded;     /* on an origin: a request with its token has succeeded */
	struct fake_call http;
	bool is_open;
	/* Error codes that were right at some time while it waited: see request_judge_open(). */
	const char *past_codes[4 * CODES_MAX];
	size_t past_count;
	bool might_succeed;
};

/* The right answers. If a refusal is listed, success is wrong. */
struct verdict {
	const char *refusals[CODES_MAX], *doubts[CODES_MAX];
	size_t refusal_count, doubt_count;
};
void refuse(struct verdict *v, const char *code); /* a rule forbids the call */
void doubt(struct verdict *v,
	   const char *code); /* a rule may forbid it, depending on state that was not listed yet */
void refuse_or_doubt(struct verdict *v, bool is_sure, const char *code);

/* Actions are EC2's names; OpenStack's are "METHOD /service/path/{parameter}", with parameters outside the
 * path in the body, and their codes are statuses, Neutron's with the type: "409 SubnetInUse". Azure's are
 * "METHOD type[/verb]": a ref with an empty parameter is named by the path, the text is the body, and the
 * codes are Azure's. */
struct operation {
	const char *action;
	unsigned weight;
	struct {
		const char *parameter;
		enum kind kind;
	} refs[3];
	const char *item;                /* type for TagSpecification, or member of the body; NULL: none */
	bool (*draw)(struct request *x); /* adds further parameters; false: impossible now */
	void (*judge)(const struct request *x,
		      struct verdict *v); /* lists refusals; all refs exist and belong to the account */
	void (*apply)(struct request *x, struct str answer); /* updates the model after success */
	bool takes_shared; /* may also use resources shared with the account */
	bool is_operators; /* sent by the administrator */
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

/* Records the port's IPv6 address from "fixed_ips". */
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

/* True if the instance is as requested, with nothing in progress: the results of further calls are then
 * certain. */
bool server_is_at_rest(const struct request *x, const struct thing *t);
/* True if no other call that names the instance is in progress: its disks are then certain. */
bool server_is_alone(const struct request *x, const struct thing *t);
void server_move(struct thing *t); /* marks an operation in progress */
void server_end(struct simulation *s, struct thing *t);
void server_turn_on(struct simulation *s, struct thing *t);
/* Turns it on if it is off. If its guest may have shut down by itself, a pause may be over, too. */
void server_start(struct simulation *s, struct thing *t);

bool request_is_openstack(const struct request *x);
bool request_is_azure(const struct request *x);
/* IAM's calls have the version as a parameter, and are sent by the account's owner. */
#define IAM_VERSION "2010-05-08"
bool request_is_iam(const struct request *x);
bool request_is_cloudstack(const struct request *x);
/* Id of the created resource, from the answer of the API in use. */
struct str request_made(const struct request *x, struct str answer, const char *ec2, const char *openstack);
/* The word for the API in use. */
const char *request_word(const struct request *x, const char *ec2, const char *openstack);
/* Adds a form parameter, or a member of a JSON body in JSON. */
void request_add(struct request *x, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a parameter with a thing of the kind, mostly one of the account's that exists; NULL: there is none. */
struct thing *request_ref(struct request *x, const char *name, enum kind kind);
/* Adds a parameter with this thing. request_find_ref: the first ref of the kind, or NULL. */
void request_name(struct request *x, const char *name, struct thing *t);
struct thing *request_find_ref(const struct request *x, enum kind kind);
/* Repeats an earlier request of this operation, like a client that got no answer; false: there is none. */
bool request_draw_again(struct request *x);
void request_draw_token(struct request *x);        /* a client token for later repetitions, or none */
bool request_is_repeated(const struct request *x); /* a request with its token has succeeded before */
void request_check_repeated(struct request *x, struct str id); /* its answer must have this id */
void request_apply_tag(struct request *x, struct thing *t);    /* gives the drawn tag to the thing */
void request_apply_end(struct request *x, struct str answer); /* for rows of operations: ends the first ref */
/* Draws the history's theme, if any: a table of operations that are drawn more often. */
void request_draw_theme(struct simulation *s);
bool request_draw(struct request *x);
void request_send(struct request *x);
bool request_is_woken(const struct request *x);
void request_resume(struct request *x); /* continues a woken call, and usually judges its answer */
/* To be called before the model changes. A call takes effect at some moment between its sending and its
 * answer, so all answers that are right now remain right for open calls. but: the call that causes the
 * change, or NULL. */
void request_judge_open(struct simulation *s, const struct request *but);
void request_mark_open(struct simulation *s); /* a failure begins that open calls may be affected by */
void request_drop(struct request *x);         /* its process has died */
/* Makes a call outside the model at once: a form or "GET /path". The answer is in the region's arena. */
struct str request_get_answer(struct simulation *s, unsigned account, const char *form);
/* Makes a call "METHOD /path" outside the model, and waits for its effects, while no others are open. For
 * CloudStack returns the content of the response. */
struct str request_call_through(struct simulation *s, unsigned account, struct str line, struct str body,
				int *ret_status);
/* True if a token of the person for the account can list servers. */
bool request_is_let_in(struct simulation *s, uuid person, unsigned account);

/* ---- request_azure.c ---- */

#define AZURE_LOCATION "\"location\": \"xywest2\""
/* Azure's name within the group, and Azure's full id; both in the region's arena. */
struct str azure_name(const struct simulation *s, const struct thing *t);
struct str azure_id(const struct simulation *s, const struct thing *t);
/* "/subscriptions/…" with the version as the query, for a call outside the model. */
struct str azure_line(const struct simulation *s, unsigned account, const char *method, const char *rest,
		      const char *version);
/* Appends to the body. */
void azure_say(struct request *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets the resource in the path. */
void azure_name_target(struct request *x, struct thing *t);
/* Draws a PUT's target: a new name in one of the account's groups, or an existing resource's. */
bool azure_draw_target(struct request *x, enum kind kind, const char *letter);
/* The drawn name becomes the created thing's. */
void azure_take_name(struct request *x, struct thing *t);
/* Draws {"k1": "v5"}, which replaces all tags, or nothing. */
void azure_draw_tags(struct request *x);
void azure_apply_tags(struct request *x, struct thing *t);
bool azure_can_be_sent(const struct request *x);              /* its names are not ambiguous */
void azure_judge(const struct request *x, struct verdict *v); /* checks the resources in its names */
void azure_check_status(const struct request *x); /* checks the status of an otherwise right answer */
/* Replaces EC2's codes, used by judges shared with other APIs, by Azure's. */
void azure_translate(struct verdict *v);
/* Like start_openstack() in request.c. */
void azure_start(struct simulation *s, const struct world_user *user, struct str line, struct str body,
		 struct fake_call *http);
/* The resource's JSON as shown by Azure's API. */
struct str azure_read(struct simulation *s, const struct thing *t, int *ret_status);
/* Draws a PUT of a resource as it was read, which changes nothing. For the first ref of a row. */
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
	const char *inner; /* a nested set in each item; NULL: none */
	const char *not_found;
	/* NULL, or a description of the difference. */
	const char *(*differ)(const struct look *l, struct thing *t, struct str item);
	bool (*shows)(const struct model *m, const struct thing *t); /* NULL: all of the account's */
	/* True to skip an item: one of another kind, or another account's that is shared. NULL: skips
	 * none. */
	bool (*passes)(const struct look *l, struct str item);
	bool is_operators; /* listed by the administrator */
	bool (*is)(const struct look *l, const struct thing *t,
		   struct str item); /* identifies the item if it has no id */
};
struct listings {
	const struct listing *at;
	size_t count;
};
extern const struct listings ec2_listings, openstack_listings, cloudstack_listings, azure_listings,
	operator_listings;

/* Compares all accounts' listings with the model, and completes the model where it was uncertain. settled:
 * nothing is in progress. */
void listings_compare(struct simulation *s, bool is_settled);
/* All accounts' listings as text. */
struct str listings_read(struct simulation *s);
struct str listings_not_found(enum kind kind,
			      bool of_openstack); /* error code for a thing of the kind that does not exist */

/* ---- happenings.c ---- */

void happen(struct simulation *s);     /* causes a random event */
void make_whole(struct simulation *s); /* ends all faults */
void kill_and_restart(struct simulation *s);

/* ---- maintenance.c ---- */

void maintain_host(struct simulation *s);     /* plans or ends a host's maintenance */
void maintain_in_peace(struct simulation *s); /* with no calls open */
void maintain_by_moving(struct simulation *s);

/* ---- fences.c ---- */

void shake_power(struct simulation *s);
void fence_in_peace(struct simulation *s);    /* with no calls open */
void fences_end_all(struct simulation *s);    /* all hosts are powered and reachable */
void fences_check(struct simulation *s);      /* at any time: no guest runs twice */
void fences_check_over(struct simulation *s); /* when settled, with all hosts well: no fence is left */
void maintenance_end_all(struct simulation *s);
void maintenance_check(struct simulation *s); /* when settled: nothing of a maintenance is left */

/* ---- errands.c ---- */

/* Sequences of CloudStack's own calls by one account, with no other calls open. */
void errand_destroy(struct simulation *s); /* destroys an instance, and recovers or expunges it */
void errand_forward(struct simulation *s); /* a port forwarding, until one of its ends is deleted */
void errand_network(struct simulation *s); /* an isolated network, or a VPC with a tier, until its deletion */
void errand_assign(struct simulation *s);  /* assigns an instance to another account */
void errand_plan(struct simulation *s);    /* a snapshot policy */
void errand_share(struct simulation *s);   /* shares a volume with a second instance */
void errands_check(struct simulation *s);  /* when settled: rules that hold across all APIs */

/* Sends Action=…; *ret_status: 200, or the error's status. */
struct str ask_ec2(struct simulation *s, unsigned account, int *ret_status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- errands_capacity.c ---- */

void errand_reserve(struct simulation *s); /* a capacity reservation, until it is cancelled */

/* ---- errands_azure.c ---- */

void errand_group(struct simulation *s); /* a resource group, deleted with all its resources */
void errand_lock(struct simulation *s);  /* a lock, which applies in all APIs */

/* ---- errands_deployment.c ---- */

void errand_deployment(
	struct simulation *s); /* a small template, repeatedly, with kills of the process at any step */

/* ---- contents.c ---- */

struct writing {
	uuid volume;
	int64_t us;
};
void contents_write(struct simulation *s); /* by a random guest */
void contents_check(struct simulation *s); /* when settled */

/* ---- policies.c ---- */

void policies_add_hand(struct region *r, unsigned account);
void policies_change(struct simulation *s);      /* only while no call is open */
bool policies_is_about(const struct request *x); /* a call that policies may deny */
void policies_judge(const struct request *x, struct verdict *v);

/* ---- history.c ---- */

struct simulation {
	uint64_t seed;
	bool is_told; /* prints every event */
	struct region region;
	struct model model;
	struct request clients[CLIENTS];
	const struct operations *theme;    /* NULL: none */
	bool is_cloudstacks, is_azures;    /* draws more calls of this API */
	struct request tokens[TOKENS_MAX]; /* requests that may be repeated */
	size_t token_count;
	uint64_t serial;
	unsigned denied[ACCOUNTS]; /* policies.c: denials of each second user; 0: none */
	struct writing writings[WRITINGS_MAX];
	size_t writing_count;
	bool hosts_shaken;  /* since everything was last settled */
	bool hosts_divided; /* instances with dedicated tenancy leave others less room */
	bool is_draining;   /* since then, a maintenance stopped instances of a host */
	bool is_doomed;     /* the process dies at the next commit */
};

/* Runs a history. Ends the process with status 1 after a wrong result. */
void history_run(struct simulation *s);
void resume_all(struct simulation *s); /* woken calls, in the order of their commits */
void settle_and_compare(struct simulation *s);
void tell(struct simulation *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void blame(struct simulation *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
