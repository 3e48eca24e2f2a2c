// What happens to the world, and when: a table of mishaps, of which each seed takes some.
#include "tests/sim/world.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLLECTOR (-1)

// ---- folders
// ----------------------------------------------------------------------------------------------------------------

static void copy_file(const char *from, const char *to)
{
    static char buffer[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0640);
    if (in < 0 || out < 0)
        abort();
    for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;)
        if (write(out, buffer, (size_t)n) != n)
            abort();
    close(in);
    close(out);
}

static bool is_kept(const char *name) // the shared memory of a running SQLite is no part of a copy
{
    size_t len = strlen(name);
    return name[0] != '.' && (len < 4 || strcmp(name + len - 4, "-shm") != 0);
}

void empty_folder(const char *path)
{
    char name[2 * SIM_PATH];
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlink(name);
    }
    if (d)
        closedir(d);
}

void copy_folder(const char *from, const char *to)
{
    char a[2 * SIM_PATH], b[2 * SIM_PATH];
    (void)mkdir(to, 0750);
    empty_folder(to);
    DIR *d = opendir(from);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(a, sizeof a, "%s/%s", from, e->d_name);
        snprintf(b, sizeof b, "%s/%s", to, e->d_name);
        if (is_kept(e->d_name))
            copy_file(a, b);
    }
    if (d)
        closedir(d);
}

// ---- who
// ----------------------------------------------------------------------------------------------------------------------

static struct agent *some_agent(struct world *w)
{
    return &w->agents[world_random(w, w->agent_count)];
}

static int some_machine(struct world *w) // the collector's in half of the cases
{
    return world_chance(w, 500) ? COLLECTOR : some_agent(w)->index;
}

static int disk_of(const struct world *w, int who)
{
    return who == COLLECTOR ? w->collector.machine : w->agents[who].machine;
}

static bool *power_of(struct world *w, int who)
{
    return who == COLLECTOR ? &w->collector.power_cut : &w->agents[who].power_cut;
}

static const char *name_of(const struct world *w, int who)
{
    return who == COLLECTOR ? "collector" : w->agents[who].name;
}

static void end_process(struct world *w, int who, bool power_cut)
{
    if (who == COLLECTOR && w->collector.running)
        collector_die(w, power_cut);
    else if (who != COLLECTOR && w->agents[who].running)
        agent_die(&w->agents[who], power_cut);
}

// ---- processes and disks
// --------------------------------------------------------------------------------------------------------

static void kill_now(struct world *w)
{
    end_process(w, some_machine(w), false);
}

static void cut_power_now(struct world *w)
{
    end_process(w, some_machine(w), true);
}

static void arm(struct world *w, enum virtual_mishap what, bool power_cut)
{
    int who = some_machine(w);
    uint32_t n = 1 + (uint32_t)world_random(w, world_chance(w, 500) ? 12 : 120);
    *power_of(w, who) = power_cut;
    virtual_disk_arm(w->disk, disk_of(w, who), n, what);
    world_event(w, "%s: mishap %d%s at operation %u", name_of(w, who), (int)what,
                power_cut ? " with its power" : "", n);
}

static void kill_in_an_operation(struct world *w)
{
    arm(w, MISHAP_DEATH, false);
}

static void cut_power_in_an_operation(struct world *w)
{
    arm(w, MISHAP_DEATH, true);
}

static void fail_a_sync(struct world *w)
{
    arm(w, MISHAP_SYNC_ERROR, false);
}

static void fail_a_write(struct world *w)
{
    arm(w, MISHAP_WRITE_ERROR, false);
}

static void lack_space_once(struct world *w)
{
    arm(w, MISHAP_NO_SPACE, false);
}

static void fill_or_free_a_disk(struct world *w)
{
    int who = some_machine(w);
    bool full = world_chance(w, 500);
    virtual_disk_fill(w->disk, disk_of(w, who), full, world_chance(w, 300));
    world_event(w, "%s: disk %s", name_of(w, who), full ? "full" : "has room");
}

static void stop_a_process(struct world *w)
{
    int who = some_machine(w);
    if (who == COLLECTOR)
        collector_stop(w);
    else
        agent_stop(&w->agents[who]);
}

static void stall(struct world *w)
{
    int who = some_machine(w);
    int64_t us = world_between(w, 1, 40) * US_PER_S;
    int64_t *until = who == COLLECTOR ? &w->collector.stalled_until_us : &w->agents[who].stalled_until_us;
    *until = w->now_us + us;
    world_event(w, "%s stands still for %lld s", name_of(w, who), (long long)(us / US_PER_S));
    for (struct link *l = w->network.links; us > 15 * US_PER_S && l; l = l->next)
        if ((who == COLLECTOR || l->agent->index == who) && l->at_agent == END_UP)
            link_cut(w, l); // no heartbeats
}

static void step_a_clock(struct world *w)
{
    int who = some_machine(w);
    struct fake_clock *c = who == COLLECTOR ? &w->collector.clock : &w->agents[who].clock;
    int64_t s = world_chance(w, 300) ? world_between(w, -4000, 4000) : world_between(w, -90, 90);
    fake_clock_step_us(c, s * US_PER_S);
    world_event(w, "%s: clock steps by %lld s", name_of(w, who), (long long)s);
}

// ---- the network
// ------------------------------------------------------------------------------------------------------------------

static void cut_a_link(struct world *w)
{
    struct agent *a = some_agent(w);
    if (a->link)
        link_cut(w, a->link);
}

static void block_a_way(struct world *w)
{
    struct agent *a = some_agent(w);
    w->blocked_until_us[a->index] = w->now_us + world_between(w, 1, 60) * US_PER_S;
    w->block_up[a->index] = world_chance(w, 700);
    w->block_down[a->index] = !w->block_up[a->index] || world_chance(w, 500);
    world_event(w, "%s is cut off%s%s", a->name, w->block_up[a->index] ? " up" : "",
                w->block_down[a->index] ? " down" : "");
    links_block(w, a);
}

static void change_the_weather(struct world *w)
{
    struct network *n = &w->network;
    n->delay_us =
        world_chance(w, 300) ? world_between(w, 100, 2000) * US_PER_MS : world_between(w, 0, 20) * US_PER_MS;
    n->jitter_us = world_chance(w, 300) ? world_between(w, 0, 2000) * US_PER_MS : US_PER_MS;
    n->drop = world_chance(w, 400) ? (uint32_t)world_between(w, 1, 60) : 0;
    world_event(w, "weather: delay %lld ms, jitter %lld ms, %u of 1000 lost",
                (long long)(n->delay_us / US_PER_MS), (long long)(n->jitter_us / US_PER_MS), n->drop);
}

// ---- copies
// -----------------------------------------------------------------------------------------------------------------------

static struct snapshot_copy *copy_of(struct world *w, int who)
{
    return &w->copies[who + 1];
}

static const char *folder_of(const struct world *w, int who)
{
    return who == COLLECTOR ? w->collector.folder : w->agents[who].folder;
}

static void take_a_copy(struct world *w)
{
    int who = some_machine(w);
    struct snapshot_copy *c = copy_of(w, who);
    bool begun = who == COLLECTOR ? w->collector.running : w->agents[who].running;
    if (!begun)
        return;
    snprintf(c->folder, sizeof c->folder, "%s/copy%d", w->folder, who + 1);
    copy_folder(folder_of(w, who), c->folder);
    c->there = true;
    world_event(w, "%s is copied", name_of(w, who));
}

static void restore_spool(struct world *w, struct agent *a)
{
    agent_die(a, false);
    copy_folder(copy_of(w, a->index)->folder, a->folder);
    virtual_disk_forget(w->disk, a->machine);
    a->may_renew = true;
    told_replaced(a);
    world_event(w, "%s: an older spool is put back", a->name);
}

// ledger.head too, or not: then the collector refuses to start until it was removed.
static void restore_ledger(struct world *w)
{
    struct collector *c = &w->collector;
    char head[SIM_PATH + 16], kept[SIM_PATH + 16], files[SIM_PATH + 40];
    static const char *const observations[] = {"", "-wal"};
    bool head_too = world_chance(w, 500), observations_too = world_chance(w, 500);
    collector_die(w, false);
    snprintf(head, sizeof head, "%s/%s", c->folder, LEDGER_HEAD);
    snprintf(kept, sizeof kept, "%s/kept", w->folder);
    copy_folder(c->folder, kept);
    copy_folder(copy_of(w, COLLECTOR)->folder, c->folder);
    if (!head_too) {
        snprintf(files, sizeof files, "%s/%s", kept, LEDGER_HEAD);
        if (access(files, F_OK) == 0)
            copy_file(files, head);
    }
    for (size_t i = 0; !observations_too && i < 2; i++) {
        char to[SIM_PATH + 40];
        snprintf(files, sizeof files, "%s/%s%s", kept, OBSERVATIONS_FILE, observations[i]);
        snprintf(to, sizeof to, "%s/%s%s", c->folder, OBSERVATIONS_FILE, observations[i]);
        (void)unlink(to);
        if (access(files, F_OK) == 0)
            copy_file(files, to);
    }
    virtual_disk_forget(w->disk, c->machine);
    c->restored = true;
    c->just_restored = true;
    c->head_may_refuse = !head_too;
    world_event(w, "collector: an older ledger is put back%s%s", head_too ? ", head too" : "",
                observations_too ? ", observations too" : "");
}

static void put_a_copy_back(struct world *w)
{
    int who = some_machine(w);
    if (!copy_of(w, who)->there)
        return;
    if (who == COLLECTOR)
        restore_ledger(w);
    else
        restore_spool(w, &w->agents[who]);
}

static void clone_an_agent(struct world *w)
{
    struct agent *from = some_agent(w);
    if (w->agent_count == SIM_AGENTS || !from->lives || from->identity != from->index)
        return;
    struct agent *to = &w->agents[w->agent_count];
    agent_clone(w, from, to);
    w->agent_count++;
    world_event(w, "%s is cloned: %s", from->name, to->name);
}

// ---- the table
// --------------------------------------------------------------------------------------------------------------------

struct mishap {
    void (*happens)(struct world *w);
    uint32_t weight;
    bool rare; // only in some seeds: it loosens what can be promised
};
static const struct mishap mishaps[] = {
    {kill_now, 12, false},
    {cut_power_now, 8, false},
    {kill_in_an_operation, 14, false},
    {cut_power_in_an_operation, 14, false},
    {fail_a_sync, 6, false},
    {fail_a_write, 4, false},
    {lack_space_once, 4, false},
    {fill_or_free_a_disk, 8, false},
    {stop_a_process, 4, false},
    {stall, 6, false},
    {step_a_clock, 5, false},
    {cut_a_link, 14, false},
    {block_a_way, 8, false},
    {change_the_weather, 10, false},
    {take_a_copy, 14, true},
    {put_a_copy_back, 10, true},
    {clone_an_agent, 5, true},
};
enum { MISHAPS = sizeof mishaps / sizeof *mishaps };

static void plan_next(struct world *w)
{
    w->fault_us = w->now_us + world_between(w, 500, w->fault_pause_ms) * US_PER_MS;
}

void faults_plan(struct world *w)
{
    bool rare = world_chance(w, 300);
    for (size_t i = 0; i < MISHAPS; i++)
        if (world_chance(w, 600) && (!mishaps[i].rare || rare))
            w->fault_kinds |= 1u << i;
    w->fault_pause_ms = world_between(w, 4000, 60000);
    change_the_weather(w);
    plan_next(w);
}

void faults_step(struct world *w)
{
    uint64_t all = 0;
    for (size_t i = 0; i < MISHAPS; i++)
        all += w->fault_kinds >> i & 1 ? mishaps[i].weight : 0;
    uint64_t at = all ? world_random(w, all) : 0;
    for (size_t i = 0; all && i < MISHAPS; i++) {
        uint64_t weight = w->fault_kinds >> i & 1 ? mishaps[i].weight : 0;
        if (at < weight) {
            mishaps[i].happens(w);
            break;
        }
        at -= weight;
    }
    plan_next(w);
}

void faults_heal(struct world *w)
{
    world_event(w, "all is healed");
    w->fault_us = SIM_NEVER;
    w->network.delay_us = w->network.jitter_us = US_PER_MS;
    w->network.drop = 0;
    w->collector.stalled_until_us = 0;
    virtual_disk_arm(w->disk, w->collector.machine, 0, MISHAP_NONE);
    virtual_disk_fill(w->disk, w->collector.machine, false, false);
    for (size_t i = 0; i < w->agent_count; i++) {
        struct agent *a = &w->agents[i];
        virtual_disk_arm(w->disk, a->machine, 0, MISHAP_NONE);
        virtual_disk_fill(w->disk, a->machine, false, false);
        a->stalled_until_us = w->blocked_until_us[i] = 0;
        if (a->identity == a->index)
            continue;
        a->off = true; // found and switched off
        agent_die(a, false);
    }
}
