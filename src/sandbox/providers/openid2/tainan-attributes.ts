/** What a pretend Tainan says of a person, by AX type URI: as broken as the real one says it. */
import { createHash } from 'node:crypto'
import { fullName, type Person } from '../../people.ts'

export const attributesOf = (one: Person): Record<string, string> => {
  const [main] = one.schools
  const titles = main?.titles ?? []
  const isPupil = one.schools.some(({ classes }) => classes.length > 0)
  // Of a pupil the account stands where the school should.
  const where = isPupil ? one.account : (main?.code ?? '')
  return {
    'http://axschema.edu.tw/person/guid': createHash('sha256').update(one.account).digest('hex'),
    'http://axschema.edu.tw/school/id': main?.code ?? '',
    'http://axschema.edu.tw/person/titles': JSON.stringify({ sid: where, titles }),
    'http://openid.edu.tw/axschema/school/titleStr': JSON.stringify([{ id: where, title: titles }]),
    'http://axschema.tn.edu.tw/school/classStr': classStr(one),
    'http://axschema.org/namePerson': fullName(one),
    'http://axschema.org/contact/email': one.email,
  }
}

/** Not JSON: bare keys, single quotes. */
function classStr(one: Person): string {
  const classes = one.schools.flatMap(({ code, classes }) =>
    classes.map(
      ({ grade, classno, classtitle, seatno }) =>
        `{sid:'${code}',gradeId:'${Number(grade)}',classId:'${Number(classno)}',classTitle:'${classtitle}',seatNo:'${seatno}',title:'學生'}`,
    ),
  )
  return `[${classes.join(',')}]`
}

export const sregOf = (one: Person): Record<string, string> => ({
  fullname: fullName(one),
  email: one.email,
})
