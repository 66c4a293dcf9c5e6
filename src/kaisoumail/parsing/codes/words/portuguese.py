"""Portuguese."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        código de verificação, código de segurança, código de login, código de autenticação, código de ativação,
        código de validação, código de uso único, senha de uso único, senha temporária, código temporário,
        código único, códigos de verificação, token de acesso, código de início de sessão, código de
        recuperação, número de verificação, senha descartável, chave de segurança, código de cadastro
    """,
    shared="código de confirmação, código de autorização, código de acesso",
    weak="este número, seguinte número, estes números, código, codigo, senha, o novo",
    your="seu, teu, sua, você",
    about="""
        aparelho, dispositivo, autorizar, operação, sessão, verificação, verificar, verifique, entrar,
        iniciar sessão, login, acesso, confirmar, confirme, segurança, autenticação, identidade, cadastro,
        redefinir, redefinição, conta
    """,
    enter="digite, insira, introduza, inserir, digitar",
    use="informe, use, utilize, copie",
    other="""
        enviado para, enviado ao, enviamos para, pedido, número do pedido, nota fiscal, fatura,
        número da fatura, código de rastreio, código de rastreamento, rastreio, rastreamento, encomenda,
        telefone, tel., cep, código postal, referência, ref, protocolo, número de cliente, cliente, reserva,
        código da reserva, código de reserva, localizador, voo, quarto, final, terminado em, terminada em,
        final do cartão, cnpj, cpf, nif, valor, total, saldo, contrato, bilhete, código de erro,
        código de barras, código fonte, desde, número, nº, agência, código de retirada, código de levantamento,
        código de indicação, código de convite, rua, chamado, caso, apólice
    """,
    offer="""
        cupom, cupão, código promocional, código de desconto, desconto*, promoção, oferta, frete grátis,
        economize, poupe, presente, carrinho, reunião
    """,
    stale="expirado*, expirou, inválido, anterior*, antigo*, não é mais válido",
    place="porta, portão, teclado, pesquisa, busca, caixa, cacifo",
    booking="reserva, estadia, viagem, embarque, encomenda, pacote, ponto de recolha, retirada, recibo, fatura",
    meeting="id da reunião",
    unit="minutos, minuto, horas, hora, segundos, dias, reais, euros, pontos, pessoas, vezes, por cento",
    confirm="""
        confirmar, confirme, verificar, verifique, ativar, ative, validar, concluir cadastro, concluir registo,
        sim sou eu, sou eu, fui eu, ativar conta, ativar a conta, ativar minha conta, finalizar cadastro
    """,
    sign_in="""
        entrar, fazer login, iniciar sessão, acessar, link mágico, aceder, entrar em, entrar agora
    """,
    reset="""
        redefinir, redefina, nova senha, alterar senha, repor, criar senha, nova palavra passe, senha nova,
        criar nova senha, escolher senha, definir nova palavra passe, definir senha, esqueceu a senha
    """,
    invite="""
        aceitar convite, aceitar o convite, aceitar, participar, convite, juntar se, ver convite, aceitar e entrar
    """,
    never="""
        cancelar inscrição, cancelar subscrição, descadastrar, cancelar a inscrição, privacidade, termos, ajuda,
        contato, contacto, fale conosco, navegador, preferências, baixar, não foi você, rastrear, pedido,
        recusar, saiba mais, configurações
    """,
)
