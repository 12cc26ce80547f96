/** Everything staff can do, in the order of the API's document. */
import type { Operation } from './operation.ts'
import { auditOperations } from './operations/audit.ts'
import { clientFilesOperations } from './operations/client-files.ts'
import { clientsOperations } from './operations/clients.ts'
import { importsOperations } from './operations/imports.ts'
import { keysOperations } from './operations/keys.ts'
import { outboxOperations } from './operations/outbox.ts'
import { peopleOperations } from './operations/people.ts'
import { registrationOperations } from './operations/registration.ts'
import { requestsOperations } from './operations/requests.ts'
import { staffOperations } from './operations/staff.ts'
import { statisticsOperations } from './operations/statistics.ts'
import { systemOperations } from './operations/system.ts'
import { upstreamsOperations } from './operations/upstreams.ts'

export const operations: readonly Operation[] = [
  ...clientsOperations,
  ...clientFilesOperations,
  ...requestsOperations,
  ...registrationOperations,
  ...peopleOperations,
  ...importsOperations,
  ...upstreamsOperations,
  ...keysOperations,
  ...outboxOperations,
  ...auditOperations,
  ...statisticsOperations,
  ...systemOperations,
  ...staffOperations,
]
