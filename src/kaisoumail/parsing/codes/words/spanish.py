"""Spanish."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        código de verificación, código de seguridad, código de inicio de sesión, código de autenticación, código
        de activación, código de validación, código de un solo uso, contraseña de un solo uso, clave de un solo
        uso, código temporal, clave temporal, clave dinámica, código único, códigos de verificación, código de
        registro, código de recuperación, pin de verificación, número de verificación, clave de acceso, token de
        seguridad, contraseña temporal, código de identificación
    """,
    shared="código de confirmación, código de autorización, código de acceso",
    weak="""
        este número, siguiente número, estos dígitos, estos números, código, clave, codigo, el nuevo
    """,
    your="tu, su, te",
    about="""
        dispositivo, autorizar, operación, verifiques, completar tu registro, registrarte, verificación, verificar,
        verifica, iniciar sesión, inicio de sesión, confirmar, confirma, seguridad, autenticación, identidad,
        registro, restablecer, cuenta, acceder, desde un nuevo, desde un dispositivo, desde otro
    """,
    enter="teclea, digita, ingresa, ingrese, introduce, introduzca, introducir, escribe, ingresar",
    use="pega, usa, use, utiliza, utilice, copia",
    other="""
        enviado a, enviado al, enviamos a, enviamos al, pedido, número de pedido, nº de pedido, factura,
        número de factura, n.º de factura, número de seguimiento, seguimiento, envío, guía, teléfono, tel.,
        código postal, c.p., cp, referencia, ref, número de cliente, cliente, reserva, código de reserva,
        localizador, vuelo, habitación, terminada en, terminados en, termina en, últimos cuatro dígitos,
        últimos 4 dígitos, importe, total, saldo, contrato, boleto, código de error, código de barras,
        código fuente, desde, número, nº, n.º, expediente, cuenta terminada, póliza, socio, código de recogida,
        código de retiro, código de referido, código de invitación, calle, nif, cif, ticket, caso, folio
    """,
    offer="""
        código promocional, código de descuento, cupón*, código de cupón, descuento*, promoción, oferta*,
        rebajas, ahorra, regalo, tarjeta regalo, carrito, reunión
    """,
    stale="caducado*, vencido*, expirado*, anterior*, antiguo*, no es válido, inválido",
    place="puerta, portal, teclado, buscador, caja, taquilla",
    booking="reserva, estancia, viaje, embarque, salida, paquete, punto de recogida, recogida, recibo, factura",
    meeting="id de reunión, id de la reunión",
    unit="minutos, minuto, horas, hora, segundos, días, euros, pesos, puntos, personas, veces, por ciento, dólares",
    confirm="""
        confirmar, confirma, confirme, verificar, verifica, verifique, activar, activa, validar, completar registro,
        sí soy yo, soy yo, fui yo, sí he sido yo, activar mi cuenta, completar el registro, terminar el registro,
        crear mi cuenta
    """,
    sign_in="""
        iniciar sesión, inicia sesión, acceder, entrar, enlace mágico, enlace de acceso, inicio de sesión,
        entrar en, entra en, acceder a
    """,
    reset="""
        restablecer, restablece, restablezca, nueva contraseña, cambiar contraseña, cambiar la contraseña,
        crear contraseña, contraseña nueva, elegir contraseña, cambiar mi contraseña, crear una contraseña,
        nueva clave
    """,
    invite="""
        aceptar invitación, aceptar la invitación, aceptar, unirse, únete, unirme, invitación, ver invitación,
        ver la invitación, aceptar y unirme
    """,
    never="""
        darse de baja, cancelar suscripción, cancelar la suscripción, desuscribir*, privacidad, términos,
        condiciones, ayuda, contacto, contáctanos, navegador, preferencias, descargar, no fuiste tú,
        no has sido tú, no reconoces, rastrear, pedido, rechazar, más información, configuración
    """,
)
