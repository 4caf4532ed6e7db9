/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: pieces of JSON that many answers share. Rows must be of the call's view. */
#pragma once

#include "api/openstack/core/action.h"

/* A row's name: its own, or else the tag Name that EC2's users give. */
struct str os_name_of(struct str name, struct tags tags);
struct str os_row_name(enum kind kind, const struct row *row);
/* A group's name. A project has one group "default", its own: those of VPCs are "default-vpc-…", because clients take names
 * for keys. */
struct security_group;
#define OS_VPC_GROUP_PREFIX "default-"
struct str os_group_name(struct arena *a, const struct security_group *group);
/* Name of a collection: "subnets", "rbac_policies". */
const char *os_write_plural(struct arena *a, const char *item);
/* A UUID with dashes; none: null. _hex: 32 digits, as Keystone's ids and projects are. */
void os_write_id(struct json_writer *w, const char *key, uuid id);
void os_write_hex(struct json_writer *w, const char *key, uuid id);
/* Texts of a list's ids and addresses; a full arena leaves the list empty. */
struct strs os_list_ids(struct arena *a, struct uuids ids);
struct strs os_list_ips(struct arena *a, struct ips ips);
struct strs os_list_cidrs(struct arena *a, struct cidrs cidrs);
/* 32 digits; empty: no id. */
struct str os_hex(struct arena *a, uuid id);
/* "2024-01-02T03:04:05Z"; 0: null. */
void os_write_time(struct json_writer *w, const char *key, int64_t time_us);
/* "2024-01-02T03:04:05.000000"; 0: null. */
void os_write_time_us(struct json_writer *w, const char *key, int64_t time_us);
/* "created_at" and "updated_at" likewise; null where it never changed. */
void os_write_times_us(struct json_writer *w, const struct row *row);
/* Time of the last update that answers show; 0: the row never changed. */
int64_t os_shown_update(const struct row *row);
/* User that made a row; the project, if no user did. */
uuid os_shown_maker(uuid made_by, uuid account);
/* Writes os_shown_maker() as "user_id". */
void os_write_maker(struct json_writer *w, uuid made_by, uuid account);
void os_write_ip(struct json_writer *w, const char *key, struct ip ip);       /* none: null */
void os_write_cidr(struct json_writer *w, const char *key, struct cidr cidr); /* none: null */
void os_write_mac(struct json_writer *w, const char *key, struct mac mac);
/* An object of a row's tags. */
void os_write_tags(struct json_writer *w, const char *key, struct tags tags);
/* Element of a list of links: {"rel": rel, "href": href}. */
void os_write_link(struct json_writer *w, const char *rel, struct str href);
/* "links" of a Nova resource: self and bookmark of "/servers/<id>". */
void os_write_compute_links(struct os_call *e, struct json_writer *w, const char *collection, struct str id);
/* 16 bytes in base64url, as Keystone's audit ids of tokens look. */
struct str os_write_audit_id(struct arena *a, uuid audit);
