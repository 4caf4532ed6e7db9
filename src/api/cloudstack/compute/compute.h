/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: a virtual machine's object, as its list, its changes and their jobs show it. */
#pragma once

#include "api/cloudstack/core/action.h"
#include "engine/region/offered.h"

struct instance_type;
extern const struct api_listing cs_machines;

/* Of the groups that a call names, by their ids or by their names, one at most; none: as it is. */
RESULT cs_choose_group(struct cs_call *e, const struct refs *ids, const struct strs *names,
		       struct ref *ret_group);

/* The user data of that id; kind none: as it is. */
RESULT cs_choose_user_data(struct cs_call *e, const struct ref *id, struct str *data);

/* Adds those that are named to those that are listed by their ids; one or the other. */
RESULT cs_choose_security_groups(struct cs_call *e, const struct strs *names, struct refs *groups);

/* How an instance's row is called and how it is; in the call's arena, or the row's. */
struct str cs_machine_name(struct api_call *e, const struct row *row);
struct str cs_machine_display_name(struct api_call *e, const struct row *row);
/* The machine's id under `name`, virtualmachinename and virtualmachinedisplayname. NULL: none of them. */
void cs_write_machine(struct api_call *e, struct json_writer *w, const char *name,
		      const struct instance *instance);
struct str cs_machine_state(struct api_call *e, const struct row *row);

/* ---- offerings ---- */

extern const struct api_listing cs_service_offerings, cs_disk_offerings;

/* Of what makes an offering of some zones and domains alone; the member is an offered_wish. */
#define CS_MAKES_OFFERED_PARAMS(T, member)                                                                   \
	PARAM(T, "zoneid", member.zones, .kind = KIND_ZONE, .max = OFFERED_ZONES_MAX,                        \
	      .given = offsetof(T, member.set_zones) + 1, .doc = "In these zones alone."),                   \
		PARAM(T, "domainid", member.domains, .kind = KIND_DOMAIN, .max = OFFERED_DOMAINS_MAX,        \
		      .given = offsetof(T, member.set_domains) + 1,                                          \
		      .doc = "For accounts of these domains alone; the root's is for all.")
/* Of what changes one; the member is a cs_offered. */
struct cs_offered {
	struct strs zones, domains;
};
#define CS_CHANGES_OFFERED_PARAMS(T, member)                                                                 \
	PARAM(T, "zoneid", member.zones, .max = OFFERED_ZONES_MAX,                                           \
	      .doc = "The zones in which it is offered; all: in any."),                                      \
		PARAM(T, "domainid", member.domains, .max = OFFERED_DOMAINS_MAX,                             \
		      .doc = "The domains that it is offered to; public: all.")
/* What: "service offering". ERR_INVALID. */
RESULT cs_take_offered(struct cs_call *e, const struct cs_offered *asked, const char *what,
		       struct offered_wish *ret_wish);
#define CS_OFFERED_ALSO "domain|zoneid|zone"
/* As member.write: domainid, domain, zoneid and zone of an instance type, a volume type or a network offering. */
void cs_write_offered(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* Whether it is offered there, and to that domain, if any is named. */
bool cs_fits_offered(const struct row *row, const struct ref *zone, const struct ref *domain);
/* ERR_DENIED: the offering is there, but not for the call's account, or not in the zone (none: nothing is said of one). */
RESULT cs_check_offered(struct cs_call *e, const struct ref *offering, uuid zone);
/* The clock that an offering was made with is kept with its extra specs, in MHz: hosts have none that would differ. */
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
/* As member.write, of the instance type. */
void cs_write_cpu_speed(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* Name of an offering in CloudStack, where names may repeat; the rows' may not. */
struct str cs_offering_name(const struct tags *specs, struct str name);
struct str cs_service_name(struct api_call *e, const struct row *row);
struct str cs_disk_name(struct api_call *e, const struct row *row);
/* GiB of the volumes of an offering; 0: as many as is said when one is made. */
struct volume_type;
int64_t cs_offering_size(const struct volume_type *type);
/* The size of a volume by the offering. *size: GiB that were said, or 0. ERR_INVALID: there are none, or too many. */
RESULT cs_choose_size(struct cs_call *e, const struct volume_type *type, int64_t *size);
