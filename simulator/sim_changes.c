#include "sim_changes.h"
#include "sim_callbacks.h"
#include "sim_clock.h"
#include "sim_faults.h"
#include "sim_ledger.h"
#include "sim_triggers.h"
#include "simulator.h"

static struct sim_fault_subject subject_of(const struct simulator *sim,
                                           const struct sim_message *m)
{
    return (struct sim_fault_subject){
        .on = SIM_FAULT_ON_MESSAGE,
        .to = sim_message_to(m),
        .from = m->from,
        .account = sim_accounts_at(&sim->accounts, m->account)->sid,
        .ordinal = m->number,
    };
}

void sim_changes_spoil(struct simulator *sim, struct sim_message *m)
{
    const struct sim_fault_subject subject = subject_of(sim, m);
    const struct sim_fault *fault = sim_faults_find(sim->faults, &subject);

    if (!fault)
        return;
    if (fault->kind == SIM_FAULT_REORDERED)
        m->faults |= SIM_MESSAGE_REORDERED;
    if (fault->kind == SIM_FAULT_STUCK)
        m->faults |= SIM_MESSAGE_STUCK;
    if (fault->kind == SIM_FAULT_FAILED || fault->kind == SIM_FAULT_UNDELIVERED)
        m->fate_code = (uint32_t)fault->code;
    if (fault->kind == SIM_FAULT_UNDELIVERED)
        m->faults |= SIM_MESSAGE_UNDELIVERED;
}

static void hold(struct simulator *sim, const struct sim_message *m,
                 enum sim_status status, int64_t delay_us)
{
    sim->held++;
    sim_clock_put(sim->clock, &(struct sim_entry){
                                  .due_us = sim_clock_now_us(sim->clock) + delay_us,
                                  .number = m->number,
                                  .kind = SIM_CLOCK_CALLBACK,
                                  .status = (uint8_t)status,
                              });
}

// Makes the callback about that status, unless a fault is on it.
static void push(struct simulator *sim, const struct sim_message *m,
                 enum sim_status status)
{
    struct sim_fault_subject subject = subject_of(sim, m);
    int64_t copies = sim->switches.callback_repeat;

    subject.on = SIM_FAULT_ON_CALLBACK;
    subject.status = sim_message_status_word(status);
    subject.ordinal = (uint64_t)m->number << 8 | status;
    const struct sim_fault *fault = sim_faults_find(sim->faults, &subject);
    if (fault && fault->kind == SIM_FAULT_LOST)
        return;
    if (fault && fault->kind == SIM_FAULT_LATE) {
        hold(sim, m, status, fault->delay_us);
        return;
    }
    if (fault && fault->kind == SIM_FAULT_REPEATED)
        copies *= fault->times;
    sim_callbacks_push(sim->callbacks, m->number, status, copies,
                       fault ? fault->kind : SIM_FAULT_KINDS, fault ? fault->times : 0);
}

void sim_changes_late(void *arg, const struct sim_entry *entry)
{
    struct simulator *sim = arg;

    sim->held--;
    sim_callbacks_push(sim->callbacks, entry->number, entry->status, 1, SIM_FAULT_KINDS,
                       0);
}

// Tells what a life has come to, the last status first.
static void push_reversed(struct simulator *sim, const struct sim_message *m)
{
    if (!sim_message_is_final(m) || m->status == SIM_STATUS_READ)
        return;
    push(sim, m, m->status);
    if (m->sent_s)
        push(sim, m, SIM_STATUS_SENT);
    if (sim_message_service(m) && m->status != SIM_STATUS_CANCELED)
        push(sim, m, SIM_STATUS_QUEUED);
}

// What a step costs goes to the ledger and to the account's usage alike.
static void bill(struct simulator *sim, const struct sim_message *m)
{
    struct sim_account *account = sim_accounts_at(&sim->accounts, m->account);
    struct sim_usage *usage = &account->usage;

    if (m->status == SIM_STATUS_SENT || m->status == SIM_STATUS_RECEIVED) {
        sim_ledger_bill(sim->ledger, m);
        sim_usage_bill(usage, m, m->sent_s);
    } else if (m->status == SIM_STATUS_FAILED && sim->accounts.failed_fee_micros) {
        sim_ledger_bill_fee(sim->ledger, sim->accounts.failed_fee_micros);
        sim_usage_failed(usage, sim->accounts.failed_fee_micros, m->updated_s);
    }
    if (account->triggers.count)
        sim_triggers_check(sim, account);
}

void sim_changes_tell(void *arg, const struct sim_message *m)
{
    struct simulator *sim = arg;

    bill(sim, m);
    if (m->send_at_s &&
        (m->status == SIM_STATUS_QUEUED || m->status == SIM_STATUS_CANCELED))
        sim_accounts_at(&sim->accounts, m->account)->scheduled_count--;
    if (!sim_message_callback(m))
        return;
    if (sim->switches.callback_reverse || (m->faults & SIM_MESSAGE_REORDERED))
        push_reversed(sim, m);
    else
        push(sim, m, m->status);
}
