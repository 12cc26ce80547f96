/** Makes what test files begin from in the folder `TEST_TEMPLATES`, for the engine of `TEST_ENGINE`. */
import { engines, storeTemplates, testEngine } from './database.ts'
import { pretendTemplate, worldTemplate } from './world.ts'

await worldTemplate()
if (testEngine === 'sqlite') await pretendTemplate()
for (const engine of engines) await storeTemplates[engine]()
