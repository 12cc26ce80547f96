/** Every type of step there is. */
import type { Steps } from './step.ts'
import type { StepPorts } from './step-ports.ts'
import { openAgreement } from './steps/agreement.ts'
import { openCaptcha } from './steps/captcha.ts'
import { choice } from './steps/choice.ts'
import { done } from './steps/done.ts'
import { openEmailCode } from './steps/email-code.ts'
import { openEmailLink } from './steps/email-link.ts'
import { openForm } from './steps/form.ts'
import { openGuardian } from './steps/guardian.ts'
import { summary } from './steps/summary.ts'
import { openUpstream } from './steps/upstream.ts'

export const openSteps = (ports: StepPorts): Steps => ({
  agreement: openAgreement(ports),
  choice,
  upstream: openUpstream(ports),
  form: openForm(ports),
  'email-code': openEmailCode(ports),
  'email-link': openEmailLink(ports),
  captcha: openCaptcha(ports),
  guardian: openGuardian(ports),
  summary,
  done,
})
