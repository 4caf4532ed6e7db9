/* SPDX-License-Identifier: Apache-2.0
 * Loads librados and librbd on first use: a region without Ceph pools runs without them. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "drivers/ceph/pool.h"

struct ceph_library ceph;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char complaint[256]; /* empty: loaded; written once */

static void *find(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;
	if (library && !found && !complaint[0])
		(void) snprintf(complaint, sizeof complaint, "it has no %s", name);
	return found;
}

static void *load(const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library && !complaint[0])
		(void) snprintf(complaint, sizeof complaint, "%s", dlerror());
	return library;
}

/* Never unloads: library threads may briefly outlive a connection. */
static void load_all(void)
{
	void *rados = load("librados.so.2"), *rbd = load("librbd.so.1");
#define FROM_RADOS(name) ceph.name = (typeof(ceph.name)) find(rados, #name);
#define FROM_RBD(name) ceph.name = (typeof(ceph.name)) find(rbd, #name);
	CEPH_RADOS_CALLS(FROM_RADOS)
	CEPH_RBD_CALLS(FROM_RBD)
}

RESULT ceph_load(struct ctx *c)
{
	(void) pthread_once(&once, load_all);
	return complaint[0]
		       ? ctx_fail(c, ERR_NOT_FOUND,
				  "pools of Ceph need Debian's package librbd1 on the machine of dari: %s",
				  complaint)
		       : OK;
}
