/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: a virtual machine's object, as its list, its changes and their jobs show it. */
#pragma once

#include "api/cloudstack/core/action.h"
#include "engine/region/offered.h"

struct instance_type;
extern const struct api_listing cs_machines;

/* The group that a call names by id or by name; at most one may be given. kind none: no change. */
RESULT cs_choose_group(struct cs_call *e, const struct refs *ids, const struct strs *names,
		       struct ref *ret_group);

/* Sets *data to the user data of that id; kind none: leaves it. */
RESULT cs_choose_user_data(struct cs_call *e, const struct ref *id, struct str *data);

/* Resolves the named groups into *groups. A call may list names or ids, not both. */
RESULT cs_choose_security_groups(struct cs_call *e, const struct strs *names, struct refs *groups);

/* Reads stored parameters of deployVirtualMachine for a launch, whose texts are in the arena. No password is drawn, and no
 * network is chosen: networkids name them. Any refusal of the command's. */
RESULT cs_read_deployment(struct cs_call *e, const struct pairs *pairs, struct instance_launch *ret_launch);

/* Name, display name and state of an instance. The texts live in the call's arena or in the row. */
struct str cs_machine_name(struct api_call *e, const struct row *row);
struct str cs_machine_display_name(struct api_call *e, const struct row *row);
/* The machine's id under `name`, virtualmachinename and virtualmachinedisplayname. NULL: none of them. */
void cs_write_machine(struct api_call *e, struct json_writer *w, const char *name,
		      const struct instance *instance);
struct str cs_machine_state(struct api_call *e, const struct row *row);

/* ---- offerings ---- */

extern const struct api_listing cs_service_offerings, cs_disk_offerings;

/* Parameters that restrict a new offering to zones and domains; the member is a struct offered_wish. */
#define CS_MAKES_OFFERED_PARAMS(T, member)                                                                   \
	PARAM(T, "zoneid", member.zones, .kind = KIND_ZONE, .max = OFFERED_ZONES_MAX,                        \
	      .given = offsetof(T, member.set_zones) + 1,                                                    \
	      .doc = "Zones that offer it; all zones otherwise."),                                           \
		PARAM(T, "domainid", member.domains, .kind = KIND_DOMAIN, .max = OFFERED_DOMAINS_MAX,        \
		      .given = offsetof(T, member.set_domains) + 1,                                          \
		      .doc = "Domains whose accounts may use it; the root domain stands for all.")
/* The same restriction in a change; the member is a struct cs_offered. */
struct cs_offered {
	struct strs zones, domains;
};
#define CS_CHANGES_OFFERED_PARAMS(T, member)                                                                 \
	PARAM(T, "zoneid", member.zones, .max = OFFERED_ZONES_MAX,                                           \
	      .doc = "Zones that offer it; all: every zone."),                                               \
		PARAM(T, "domainid", member.domains, .max = OFFERED_DOMAINS_MAX,                             \
		      .doc = "Domains that may use it; public: all domains.")
/* Reads the restriction; `what` names the offering in a failure: "service offering". ERR_INVALID. */
RESULT cs_take_offered(struct cs_call *e, const struct cs_offered *asked, const char *what,
		       struct offered_wish *ret_wish);
#define CS_OFFERED_ALSO "domain|zoneid|zone"
/* member.write: domainid, domain, zoneid and zone of an instance type, a volume type or a network offering. */
void cs_write_offered(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* True if the offering is offered in that zone and to that domain; a ref of kind none matches every one. */
bool cs_fits_offered(const struct row *row, const struct ref *zone, const struct ref *domain);
/* ERR_DENIED: the offering exists, but not for the call's account, or not in the zone (none: any zone). */
RESULT cs_check_offered(struct cs_call *e, const struct ref *offering, uuid zone);
/* Extra spec with an offering's clock rate in MHz, which is only shown: processors have no rated speed here. */
#define CS_CPU_SPEED_SPEC "cloudstack:cpuspeed"
/* Spec of a service offering whose machines' root disks lie in a storage pool that several hosts see. */
#define CS_STORAGE_SPEC "cloudstack:storagetype"
#define CS_STORAGE_TYPES "local|shared"
/* True if disks in that place fit the asked `storagetype`; empty: both do. */
bool cs_fits_storage(struct str asked, bool is_shared);
/* The word of `storagetype` for that place. */
struct str cs_storage_word(bool is_shared);
/* True if the service offering puts root disks into a storage pool. */
bool cs_wants_shared(const struct instance_type *type);
/* member.write for an instance type. */
void cs_write_cpu_speed(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* Name of an offering in CloudStack, where names may repeat; the rows' may not. */
struct str cs_offering_name(const struct tags *specs, struct str name);
struct str cs_service_name(struct api_call *e, const struct row *row);
struct str cs_disk_name(struct api_call *e, const struct row *row);
/* Size of an offering's volumes in GiB; 0: each volume chooses its own. */
struct volume_type;
int64_t cs_offering_size(const struct volume_type *type);
/* Replaces *size, the requested GiB or 0, by the offering's size if that is fixed. ERR_INVALID: neither has a size, or it is
 * too large. */
RESULT cs_choose_size(struct cs_call *e, const struct volume_type *type, int64_t *size);
